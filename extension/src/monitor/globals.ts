/** The Globals of the run as they were at the iteration that is looked at. */
import { h, setAttribute, setText, show } from './dom';
import { bytes, integer } from './format';
import type { Kernel, MakePanel, Moment, Panel } from './panel';
import type { GlobalChange } from './protocol';
import { LocalRows } from './rows';
import type { Section, State } from './store';
import { type Column, Table } from './table';
import { ValueView } from './value';

/** Of each tag the newest change up to iteration `at`; null is now. */
export function globalsAt(changes: readonly GlobalChange[], at: number | null): GlobalChange[] {
  const newest = new Map<string, GlobalChange>();
  for (const change of changes) {
    if (at === null || (change.iteration ?? -1) <= at) newest.set(change.tag, change);
  }
  return [...newest.values()];
}

export const COLUMNS: readonly Column<GlobalChange>[] = [
  { key: 'tag', title: 'Tag', width: 8, pinned: true, text: ({ tag }) => tag, draw: drawTag },
  { key: 'type', title: 'Type', width: 8.5, text: ({ type }) => type },
  {
    key: 'nbytes',
    title: 'Size',
    width: 5.4,
    numeric: true,
    text: ({ nbytes }) => bytes(nbytes),
    order: ({ nbytes }) => nbytes,
  },
  {
    key: 'version',
    title: 'Version',
    width: 5.7,
    numeric: true,
    text: ({ version }) => integer(version),
    order: ({ version }) => version,
    hint: 'How often it has been set',
  },
  {
    key: 'iteration',
    title: 'Changed in',
    width: 7.8,
    text: ({ iteration }) => (iteration === null ? 'the start' : `iteration ${iteration}`),
    order: ({ iteration }) => iteration ?? -1,
  },
  { key: 'preview', title: 'Preview', width: 9, text: ({ preview }) => preview, draw: drawPreview },
];

function drawTag(cell: HTMLElement, { tag }: GlobalChange): void {
  setAttribute(cell, 'class', 'mp-strong mp-link mp-pinned');
  setText(cell, tag);
}

function drawPreview(cell: HTMLElement, { preview }: GlobalChange): void {
  setAttribute(cell, 'class', 'mp-code');
  setText(cell, preview);
}

class GlobalsPanel implements Panel {
  readonly el: HTMLElement;
  private readonly source = new LocalRows(COLUMNS, ({ tag }: GlobalChange) => tag);
  private readonly value: ValueView;
  private readonly note = h('p', { class: 'mp-faint', hidden: true });
  private readonly table: Table<GlobalChange>;
  private at: number | null = null;
  private versions = new Map<string, number>();

  constructor(kernel: Kernel) {
    this.value = new ValueView(kernel);
    this.table = new Table({
      label: 'Globals',
      one: 'Global',
      columns: COLUMNS,
      source: this.source,
      id: ({ tag }) => tag,
      empty: 'No Globals yet: they appear with their first value.',
      wide: 'preview',
      open: ({ tag }) => {
        this.value.open({ kind: 'global', tag, iteration: this.at }, this.table);
      },
    });
    const inside = [this.note, this.table.el, this.value.el];
    this.el = h('section', { class: 'mp', 'aria-label': 'Globals' }, ...inside);
  }

  update(state: State, changed: ReadonlySet<Section>, { at }: Moment): void {
    if (!changed.has('globals') && at === this.at) return;
    const moved = at !== this.at;
    this.at = at;
    show(this.note, at !== null);
    setText(this.note, `As they were after iteration ${at ?? 0}.`);
    const rows = globalsAt(state.globals, at);
    this.source.set(rows);
    this.table.refresh();
    this.follow(rows, moved);
  }

  dispose(): void {
    this.table.dispose();
  }

  /** An opened value stays; that it is no longer that of the table is said. */
  private follow(rows: readonly GlobalChange[], moved: boolean): void {
    const { shown } = this.value;
    const now = new Map(rows.map(({ tag, version }) => [tag, version]));
    const before = shown && this.versions.get(shown.tag);
    this.versions = now;
    if (!shown) return;
    if (moved) this.value.close();
    else if (now.get(shown.tag) !== before) this.value.outdate();
  }
}

export const globalsPanel: MakePanel = (kernel) => new GlobalsPanel(kernel);
