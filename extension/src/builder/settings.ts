/** Below the canvas: what the run is called, how long it goes on, and the Globals it starts with. */
import { fill, h } from '../monitor/dom';
import type { Board } from './board';
import type { Field } from './fields';
import { button, textField } from './fields';

type Setting = 'name' | 'iterations' | 'seed';

export class Settings {
  readonly el: HTMLElement;
  readonly #board: Board;
  readonly #fields: Record<Setting, Field>;
  readonly #rows = h('div', { class: 'mb-globals' });
  #shown = -1;

  constructor(board: Board) {
    this.#board = board;
    const field = (name: Setting, label: string, placeholder: string): Field =>
      textField({
        label,
        placeholder,
        value: board.draft[name],
        class: 'mb-short',
        changed: (value) => {
          board.change((draft) => {
            draft[name] = value.trim();
          });
        },
      });
    this.#fields = {
      name: field('name', 'Run', 'fl'),
      iterations: field('iterations', 'Iterations', '5, or forever'),
      seed: field('seed', 'Seed', 'a new one'),
    };
    const { name, iterations, seed } = this.#fields;
    this.el = h(
      'section',
      { class: 'mb-settings', 'aria-label': 'Run and Globals' },
      h('div', { class: 'mb-line' }, name.el, iterations.el, seed.el),
      h('h3', {}, 'Globals'),
      this.#rows,
      button(
        '+ Global',
        () => {
          this.#add();
        },
        { label: '+ Global: add one' },
      ),
    );
  }

  update(): void {
    const { draft } = this.#board;
    for (const name of ['name', 'iterations', 'seed'] as const) this.#fields[name].set(draft[name]);
    if (draft.globals.length === this.#shown) return;
    this.#shown = draft.globals.length;
    fill(this.#rows, ...draft.globals.map((_, index) => this.#row(index)));
  }

  #add(): void {
    this.#board.change((draft) => draft.globals.push({ tag: '', text: '' }));
    this.#rows.lastElementChild?.querySelector('input')?.focus();
  }

  #row(index: number): HTMLElement {
    const global = this.#board.draft.globals[index];
    const number = index + 1;
    const set = (part: 'tag' | 'text') => (value: string) => {
      this.#board.change((draft) => {
        const found = draft.globals[index];
        if (found) found[part] = value;
      });
    };
    const tag = { label: `Tag ${number}`, placeholder: 'lr', value: global?.tag, class: 'mb-short' };
    const text = {
      label: `Value ${number}`,
      placeholder: '0.1, {"lr": 0.1}, a variable',
      value: global?.text,
    };
    const gone = () => {
      this.#shown = -1;
      this.#board.change((draft) => draft.globals.splice(index, 1));
    };
    return h(
      'div',
      { class: 'mb-line' },
      textField({ ...tag, changed: set('tag') }).el,
      textField({ ...text, class: 'mb-wide', changed: set('text') }).el,
      button('×', gone, { class: 'mb-small', label: `× remove Global ${number}` }),
    );
  }
}
