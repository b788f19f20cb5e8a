/** The one place where the draft changes: every part of the screen listens to it, and the kernel hears of it. */
import type { Draft } from './draft';
import { readDraft } from './draft';

/** What anywidget hands to a view. */
export interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(content: unknown): void;
  on(name: string, callback: () => void): void;
  off(name: string, callback: () => void): void;
}

export interface Module {
  name: string;
  placement: string;
}

/** Milliseconds of quiet after which the kernel hears of a change. */
const QUIET = 120;

export class Board {
  draft: Draft;
  selected: string | null = null;
  /** one line for the person: what was refused, what was done */
  said = { text: '', ok: true };
  readonly #model: Model;
  readonly #listeners: (() => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sent = '';

  constructor(model: Model) {
    this.#model = model;
    this.draft = readDraft(model.get('draft'));
    this.#sent = JSON.stringify(model.get('draft'));
    for (const name of ['modules', 'nodes', 'text', 'problems']) model.on(`change:${name}`, this.#tell);
    model.on('change:draft', this.#take);
    model.on('change:told', this.#hear);
  }

  get modules(): Module[] {
    return this.#model.get('modules') as Module[];
  }

  get nodes(): string[] {
    return this.#model.get('nodes') as string[];
  }

  get text(): string {
    return this.#model.get('text') as string;
  }

  get problems(): string[] {
    return this.#model.get('problems') as string[];
  }

  /** Call back after each change. */
  watch(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Change the draft; where `edit` returns a text, the person is told that. */
  change(edit: (draft: Draft) => unknown): void {
    const refused = edit(this.draft);
    const said = typeof refused === 'string' ? refused : '';
    this.said = { text: said, ok: said === '' };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#push, QUIET);
    this.#tell();
  }

  select(key: string | null): void {
    this.selected = key;
    this.#tell();
  }

  say(text: string, ok = true): void {
    this.said = { text, ok };
    this.#tell();
  }

  /** Ask the kernel to run, to insert or to look again. */
  ask(op: 'run' | 'insert' | 'refresh'): void {
    this.#push();
    this.#model.send({ op });
  }

  dispose(): void {
    this.#push();
    for (const name of ['modules', 'nodes', 'text', 'problems'])
      this.#model.off(`change:${name}`, this.#tell);
    this.#model.off('change:draft', this.#take);
    this.#model.off('change:told', this.#hear);
  }

  readonly #tell = (): void => {
    for (const listener of this.#listeners) listener();
  };

  readonly #push = (): void => {
    clearTimeout(this.#timer);
    const text = JSON.stringify(this.draft);
    if (text === this.#sent) return;
    this.#sent = text;
    this.#model.set('draft', JSON.parse(text));
    this.#model.save_changes();
  };

  /** Another view of the same builder changed it. */
  readonly #take = (): void => {
    const text = JSON.stringify(this.#model.get('draft'));
    if (text === this.#sent) return;
    this.#sent = text;
    this.draft = readDraft(this.#model.get('draft'));
    this.#tell();
  };

  readonly #hear = (): void => {
    const told = this.#model.get('told') as { ok?: boolean; text?: string };
    this.say(told.text ?? '', told.ok ?? false);
  };
}
