/** What happened to the run, newest first: kills, retries, warnings. */
import { fill, h, setAttribute, setText } from './dom';
import { integer } from './format';
import type { MakePanel, Panel } from './panel';
import { LocalRows } from './rows';
import type { EventRow, Section, State } from './store';
import { type Column, Table } from './table';

interface Kind {
  readonly sign: string;
  readonly tone: 'ok' | 'warn' | 'bad' | 'busy' | 'calm';
}

const KINDS: Readonly<Record<string, Kind>> = {
  failure: { sign: '✗', tone: 'bad' },
  lost: { sign: '!', tone: 'bad' },
  gone: { sign: '–', tone: 'bad' },
  nan: { sign: '≁', tone: 'bad' },
  retry: { sign: '↻', tone: 'warn' },
  away: { sign: '◔', tone: 'warn' },
  late: { sign: '◷', tone: 'warn' },
  left_out: { sign: '⇥', tone: 'warn' },
  conflict: { sign: '⇄', tone: 'warn' },
  stop: { sign: '■', tone: 'warn' },
  back: { sign: '✓', tone: 'ok' },
  joined: { sign: '+', tone: 'ok' },
  schedule: { sign: '▸', tone: 'busy' },
  change: { sign: '✎', tone: 'busy' },
};

function kindOf(kind: string): Kind {
  return (Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined) ?? { sign: '•', tone: 'calm' };
}

/** How many of each kind, the most frequent first. */
export function countKinds(events: readonly EventRow[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { kind } of events) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
}

/** An event and its number: two may say the same. */
interface Entry {
  readonly at: number;
  readonly event: EventRow;
}

const COLUMNS: readonly Column<Entry>[] = [
  {
    key: 'iteration',
    title: 'Iteration',
    width: 7.6,
    numeric: true,
    text: ({ event }) => (event.iteration === null ? '–' : integer(event.iteration)),
    order: ({ event, at }) => (event.iteration ?? -1) + at / 1e9,
  },
  { key: 'kind', title: 'Kind', width: 8, text: ({ event }) => event.kind, draw: drawKind },
  { key: 'message', title: 'Message', width: 16, text: ({ event }) => event.message },
  { key: 'node', title: 'Node', width: 7.5, text: ({ event }) => event.node },
  { key: 'task', title: 'Task', width: 7.5, text: ({ event }) => event.task },
];

function drawKind(cell: HTMLElement, { event }: Entry): void {
  if (!cell.firstElementChild) {
    cell.replaceChildren(
      h('span', { class: 'mp-badge', 'aria-hidden': 'true' }),
      h('span', { class: 'mp-word' }),
    );
  }
  const { sign, tone } = kindOf(event.kind);
  setAttribute(cell, 'class', `mp-state mp-tone-${tone}`);
  const [dot, word] = cell.children;
  if (dot) setText(dot, sign);
  if (word) setText(word, event.kind);
}

class EventsPanel implements Panel {
  readonly el: HTMLElement;
  private readonly source = new LocalRows(COLUMNS, ({ at }: Entry) => String(at));
  private readonly table: Table<Entry>;
  private readonly chips = h('div', { class: 'mp-chips', role: 'group', 'aria-label': 'Kinds of events' });
  private readonly detail = h('div', { class: 'mp-detail', hidden: true });
  private readonly left = new Set<string>();
  private events: readonly EventRow[] = [];
  private shown = '';

  constructor() {
    this.table = new Table({
      label: 'Events',
      one: 'event',
      columns: COLUMNS,
      source: this.source,
      id: ({ at }) => String(at),
      empty: 'Nothing happened: no retry, no failure, no lost node.',
      order: { key: 'iteration', descending: true },
      wide: 'message',
      open: ({ event }) => {
        setText(this.detail, event.message);
        setAttribute(this.detail, 'hidden', null);
      },
    });
    const inside = [this.chips, this.table.el, this.detail];
    this.el = h('section', { class: 'mp', 'aria-label': 'Events' }, ...inside);
  }

  update(state: State, changed: ReadonlySet<Section>): void {
    if (!changed.has('events') && !changed.has('names')) return;
    this.events = state.events;
    this.list();
  }

  dispose(): void {
    this.table.dispose();
  }

  private list(): void {
    this.drawChips(countKinds(this.events));
    const entries = this.events.map((event, at) => ({ at, event }));
    this.source.set(this.left.size ? entries.filter(({ event }) => !this.left.has(event.kind)) : entries);
    this.table.refresh();
  }

  /** Made anew only when there is a new kind, so that the keyboard stays where it is. */
  private drawChips(counts: readonly [string, number][]): void {
    const kinds = counts.map(([kind]) => kind).sort();
    if (kinds.join('\n') !== this.shown) fill(this.chips, ...kinds.map((kind) => this.chip(kind)));
    this.shown = kinds.join('\n');
    const of = new Map(counts);
    for (const chip of this.chips.children) {
      const number = chip.lastElementChild;
      const kind = chip instanceof HTMLElement ? (chip.dataset.kind ?? '') : '';
      if (number) setText(number, integer(of.get(kind) ?? 0));
      setAttribute(chip, 'aria-pressed', String(!this.left.has(kind)));
    }
  }

  private chip(kind: string): HTMLElement {
    const { sign, tone } = kindOf(kind);
    const click = (): void => {
      if (!this.left.delete(kind)) this.left.add(kind);
      this.list();
    };
    const badge = h('span', { class: 'mp-badge', 'aria-hidden': 'true' }, sign);
    const attributes = { type: 'button', class: `mp-chip mp-tone-${tone}`, 'data-kind': kind, on: { click } };
    return h('button', attributes, badge, kind, ' ', h('span', { class: 'mp-chip-count' }));
  }
}

export const eventsPanel: MakePanel = () => new EventsPanel();
