/** The runs of this kernel and those that are kept, the latest first. */
import { h, setAttribute, setText, show } from '../monitor/dom';
import { count, integer } from '../monitor/format';
import type { RunRow } from '../protocol';
import type { Actions, Folds, View } from './data';
import { Filter } from './filter';
import { iconButton } from './icons';
import { KeyedList, type Row } from './keyed';
import { Section } from './section';
import { ago, isActive, iterationsOf, statusWord } from './words';

/** So many are shown before somebody asks for all. */
const FIRST = 20;

interface Item {
  readonly run: RunRow;
  readonly chosen: boolean;
  /** whether another run has the same name, so that this one's id has to be said */
  readonly twin: boolean;
  readonly now: number;
}

class RunItem implements Row<Item> {
  readonly el: HTMLElement;
  private readonly name = h('span', { class: 'ms-run-name' });
  private readonly id = h('span', { class: 'ms-run-id' });
  private readonly status = h('span');
  private readonly pill = h('span', { class: 'ms-pill' }, h('i', { class: 'ms-pill-dot' }), this.status);
  private readonly main: HTMLButtonElement;
  private readonly bar = h('div', { class: 'ms-bar', role: 'progressbar', 'aria-valuemin': 0 }, h('i'));
  private readonly best = h('span', { class: 'ms-run-best' });
  private readonly facts = h('span', { class: 'ms-run-facts' });
  private readonly note = h('p', { class: 'ms-run-note' });
  private readonly stop: HTMLButtonElement;
  private readonly resume: HTMLButtonElement;
  private readonly monitor: HTMLButtonElement;
  private run: RunRow | null = null;

  constructor(actions: Actions) {
    const act = (what: (run: RunRow) => void) => () => {
      if (this.run) what(this.run);
    };
    const choose = act(({ run_id }) => actions.choose(run_id));
    this.main = h(
      'button',
      { type: 'button', class: 'ms-run-main' },
      h('span', { class: 'ms-run-title' }, this.name, this.id),
      this.pill,
    );
    this.stop = iconButton(
      'stop',
      'Stop',
      act((run) => actions.stop(run)),
    );
    this.resume = iconButton(
      'resume',
      'Resume',
      act((run) => actions.resume(run)),
    );
    this.monitor = iconButton(
      'monitor',
      'Open the monitor',
      act((run) => actions.monitor(run)),
    );
    const buttons = h('div', { class: 'ms-run-buttons' }, this.stop, this.resume, this.monitor);
    const facts = h('div', { class: 'ms-run-line' }, this.best, this.facts);
    const top = h('div', { class: 'ms-run-top' }, this.main, buttons);
    this.el = h('li', { class: 'ms-run', on: { click: choose } }, top, this.bar, facts, this.note);
  }

  update({ run, chosen, twin, now }: Item): void {
    this.run = run;
    setAttribute(this.el, 'data-run', run.run_id);
    setAttribute(this.el, 'data-status', run.status);
    this.el.classList.toggle('ms-past', !run.here);
    this.el.classList.toggle('ms-chosen', chosen);
    setAttribute(this.main, 'aria-pressed', String(chosen));
    setText(this.name, run.name || 'run');
    setText(this.id, twin ? run.run_id.slice(0, 8) : '');
    setAttribute(this.pill, 'data-status', run.status);
    setText(this.status, statusWord(run.status));
    setAttribute(
      this.main,
      'title',
      [run.reason, 'Click: its Globals and Results'].filter(Boolean).join('\n'),
    );
    this.controls(run);
    this.progress(run);
    setText(this.best, run.best);
    setAttribute(this.best, 'title', run.best);
    const when = isActive(run) ? '' : ago(run.started, now);
    setText(this.facts, [iterationsOf(run), when].filter(Boolean).join(' · '));
    const said = run.failure?.message || run.note;
    setText(this.note, said);
    setAttribute(this.note, 'title', said);
    this.note.classList.toggle('ms-bad', Boolean(run.failure?.message));
    show(this.note, said !== '');
  }

  /** A button goes only when its successor is there: who has the focus keeps it. */
  private controls({ name, can_stop: stop, can_resume: resume, run_id: id }: RunRow): void {
    const focused = this.el.ownerDocument.activeElement;
    for (const [button, verb, there] of [
      [this.stop, 'Stop', stop],
      [this.resume, 'Resume', resume],
      [this.monitor, 'Open the monitor of', true],
    ] as const) {
      const label = `${verb} ${name || id.slice(0, 8)}`;
      setAttribute(button, 'aria-label', label);
      setAttribute(button, 'title', label);
      show(button, there);
    }
    if (focused === this.stop && !stop) (resume ? this.resume : this.monitor).focus();
    if (focused === this.resume && !resume) (stop ? this.stop : this.monitor).focus();
  }

  private progress(run: RunRow): void {
    const { iteration, iterations } = run;
    show(this.bar, isActive(run));
    this.bar.classList.toggle('ms-endless', !iterations);
    setAttribute(this.bar, 'aria-label', `Iterations of ${run.name}`);
    setAttribute(this.bar, 'aria-valuemax', iterations || null);
    setAttribute(this.bar, 'aria-valuenow', iteration);
    setAttribute(this.bar, 'aria-valuetext', iterationsOf(run));
    this.bar.style.setProperty(
      '--ms-part',
      `${iterations ? Math.min(100, (100 * iteration) / iterations) : 0}%`,
    );
  }
}

export class RunsPart {
  readonly el: HTMLElement;
  private readonly section: Section;
  private readonly filter = new Filter('Filter runs', () => this.draw());
  private readonly list: KeyedList<Item>;
  private readonly all = h('button', { type: 'button', class: 'ms-link' });
  private readonly more = h('p', { class: 'ms-faint' });
  private readonly empty = h(
    'p',
    { class: 'ms-empty' },
    'No runs yet: a cell that begins with ',
    h('code', {}, '%%swarm'),
    ' starts one.',
  );
  private view: View | null = null;
  private chosen = '';
  private whole = false;

  constructor(actions: Actions, folds: Folds) {
    this.section = new Section('Runs', folds);
    const choose = (run: string): void => {
      // shown at once; the kernel's word follows
      this.chosen = run;
      this.draw();
      actions.choose(run);
    };
    this.list = new KeyedList(
      'Runs',
      ({ run }) => run.run_id,
      () => new RunItem({ ...actions, choose }),
    );
    this.all.addEventListener('click', () => {
      this.whole = true;
      this.draw();
    });
    this.section.body.append(this.filter.el, this.list.el, this.all, this.more, this.empty);
    this.el = this.section.el;
  }

  update(view: View): void {
    const before = this.view?.known.chosen;
    this.view = view;
    const { chosen } = view.known;
    if (chosen !== before) this.chosen = chosen?.run_id ?? '';
    this.draw();
  }

  private draw(): void {
    if (!this.view) return;
    const { runs, total } = this.view.known;
    this.section.label(total ? integer(Math.max(total, runs.length)) : '');
    show(this.empty, runs.length === 0);
    const found = this.filter.of(runs, ({ name, run_id: id, status, note }) =>
      [name, id, status, note].join(' '),
    );
    const shown = this.whole ? found : found.slice(0, FIRST);
    const now = Date.now() / 1000;
    const names = new Map<string, number>();
    for (const { name } of runs) names.set(name, (names.get(name) ?? 0) + 1);
    this.list.put(
      shown.map((run) => ({
        run,
        chosen: run.run_id === this.chosen,
        twin: (names.get(run.name) ?? 0) > 1,
        now,
      })),
    );
    setText(this.all, `Show all ${count(found.length, 'run')}`);
    show(this.all, shown.length < found.length);
    const left = total - runs.length;
    show(this.more, left > 0 && shown.length === found.length);
    setText(this.more, `and ${integer(left)} more: %manta runs`);
  }
}
