/** The nodes: one line for all of them, and a row for each. */
import { h, setAttribute, setText, show } from '../monitor/dom';
import { integer } from '../monitor/format';
import type { NodeRow, SessionInfo } from '../protocol';
import type { Actions, Folds, View } from './data';
import { Filter } from './filter';
import { KeyedList, type Row } from './keyed';
import { Section } from './section';
import { showStart } from './startbutton';
import { flagOf, samplesOf } from './words';

/** A node, and its samples as part of what the node with most of them has. */
interface Item {
  readonly row: NodeRow;
  readonly share: number | null;
}

class NodeItem implements Row<Item> {
  readonly el: HTMLElement;
  private readonly dot = h('i', { class: 'ms-dot', 'aria-hidden': 'true' });
  private readonly name = h('span', { class: 'ms-node-name' });
  private readonly said = h('span', { class: 'ms-unseen' });
  private readonly task = h('span', { class: 'ms-node-task' });
  private readonly flag = h('span', { class: 'ms-flag' });
  private readonly bar = h('span', { class: 'ms-share', 'aria-hidden': 'true' }, h('i'));
  private readonly samples = h('span', { class: 'ms-node-samples' });

  constructor() {
    const { dot, name, said, task, flag, bar, samples } = this;
    const what = h('span', { class: 'ms-node-what' }, task, flag);
    this.el = h('li', { class: 'ms-node' }, dot, name, said, what, bar, samples);
  }

  update({ row, share }: Item): void {
    const { node, state, task, worker, data } = row;
    const flag = flagOf(row);
    const texts = data.map(({ text }) => text).filter(Boolean);
    setAttribute(this.el, 'data-state', state);
    setText(this.name, node);
    setText(this.said, `, ${state}`);
    setText(this.task, task);
    setText(this.flag, flag);
    const facts = [`${node}: ${state}${task ? ` with ${task}` : ''}`, flag, worker, ...texts];
    setAttribute(this.el, 'title', facts.filter(Boolean).join('\n'));
    const samples = samplesOf(row);
    setText(this.samples, samples === null ? (texts[0] ?? '') : integer(samples));
    setAttribute(this.samples, 'class', samples === null ? 'ms-node-samples ms-words' : 'ms-node-samples');
    setAttribute(this.samples, 'aria-label', samples === null ? null : `${integer(samples)} samples`);
    show(this.bar, share !== null);
    this.bar.style.setProperty('--ms-part', `${Math.round((share ?? 0) * 100)}%`);
  }
}

export class NodesPart {
  readonly el: HTMLElement;
  private readonly section: Section;
  private readonly summary = h('p', { class: 'ms-summary' });
  private readonly filter = new Filter('Filter nodes', () => this.draw());
  private readonly list = new KeyedList<Item>(
    'Nodes',
    ({ row }) => row.node,
    () => new NodeItem(),
  );
  private readonly more = h('p', { class: 'ms-faint' });
  private readonly empty: HTMLElement;
  private readonly start: HTMLButtonElement;
  private readonly other: HTMLButtonElement;
  private session: SessionInfo | null = null;

  constructor(actions: Actions, folds: Folds) {
    this.section = new Section('Nodes', folds);
    const button = (kind: string, click: () => void): HTMLButtonElement =>
      h('button', { type: 'button', class: kind, on: { click } });
    this.start = button('ms-button ms-primary', () => actions.start());
    this.other = button('ms-link', () => actions.startOther());
    setText(this.other, 'Other nodes…');
    this.empty = h(
      'div',
      { class: 'ms-empty' },
      h('p', {}, 'No nodes yet. A run starts some by itself, or:'),
      h('div', { class: 'ms-row' }, this.start, this.other),
    );
    this.section.body.append(this.summary, this.filter.el, this.list.el, this.more, this.empty);
    this.el = this.section.el;
  }

  update(view: View): void {
    const { known, start, starting } = view;
    this.session = known.session;
    showStart(this.start, view);
    show(this.other, start !== '' && !starting);
    this.draw();
  }

  private draw(): void {
    const { session } = this;
    this.section.label(session ? integer(session.total) : '');
    for (const part of [this.summary, this.list.el]) show(part, session !== null);
    show(this.empty, session === null);
    setText(this.summary, session?.text ?? '');
    setAttribute(this.summary, 'title', session?.text);
    const nodes = session?.nodes ?? [];
    const shown = this.filter.of(nodes, ({ node, state, task, worker }) =>
      [node, state, task, worker].join(' '),
    );
    this.list.put(withShares(shown, nodes));
    const left = session ? session.total - nodes.length : 0;
    show(this.more, left > 0);
    setText(this.more, `and ${integer(left)} more`);
  }
}

/** Beside each node how much of the data it has, where that is known of any. */
function withShares(shown: readonly NodeRow[], all: readonly NodeRow[]): Item[] {
  const most = all.reduce((high, row) => Math.max(high, samplesOf(row) ?? 0), 0);
  return shown.map((row) => {
    const samples = samplesOf(row);
    return { row, share: samples === null || most === 0 ? null : samples / most };
  });
}
