/**
 * A table of any length: sorted by its titles, filtered by a text, moved through with the keyboard, copied as TSV.
 *
 * Only the rows in sight are in the document; scrolling and updates rewrite their cells in place, so focus,
 * selection and scroll position stay where they are.
 */
import { copyFrom } from './clip';
import { h, setText, show } from './dom';
import { count } from './format';
import { type Column, Grid } from './grid';
import { type Order, type Source, tabSeparated } from './rows';

export type { Column } from './grid';

export interface TableOptions<R> {
  /** what a screen reader calls it */
  readonly label: string;
  /** what a row is */
  readonly one: string;
  readonly columns: readonly Column<R>[];
  readonly source: Source<R>;
  readonly id: (row: R) => string;
  /** said when there is no row */
  readonly empty: string;
  readonly order?: Partial<Order>;
  /** what may be typed into the filter */
  readonly filterHint?: string;
  /** the column that takes the room that is left */
  readonly wide?: string;
  /** Enter, or a click on a row or, with `opener`, on that column */
  open?(row: R, cell: HTMLElement): void;
  readonly opener?: string;
}

export class Table<R> {
  readonly el: HTMLElement;
  private order: Order;
  private active = -1;
  private activeId = '';
  private readonly grid: Grid<R>;
  private readonly bar: HTMLElement;
  private readonly filter: HTMLInputElement;
  private readonly counted = h('span', { class: 'mp-count', role: 'status' });
  private readonly empty = h('p', { class: 'mp-empty', hidden: true });
  private readonly resized: ResizeObserver;
  private readonly openerAt: number;

  constructor(private readonly options: TableOptions<R>) {
    const { columns, source, label, wide, opener } = options;
    this.order = { key: null, descending: false, filter: '', ...options.order };
    this.openerAt = columns.findIndex(({ key }) => key === opener);
    this.grid = new Grid(columns, source, label, wide, (column) => {
      this.sortBy(column);
    });
    this.filter = h('input', {
      type: 'search',
      class: 'mp-input',
      'aria-label': `Filter ${label}`,
      placeholder: options.filterHint ?? 'filter, or column: text',
    });
    this.bar = h('div', { class: 'mp-bar' }, this.filter, this.counted, this.copier());
    this.el = h('div', { class: 'mp-table' }, this.bar, this.grid.el, this.empty);
    this.resized = new ResizeObserver(() => {
      this.draw();
    });
    this.listen();
    this.arrange({});
  }

  /** The source holds other rows now. */
  refresh(): void {
    const { source, id } = this.options;
    const row = this.active < 0 ? undefined : source.at(this.active);
    if (row !== undefined && !this.activeId) this.activeId = id(row);
    const gone = row === undefined ? this.active >= source.total : id(row) !== this.activeId;
    if (this.active >= 0 && gone) this.active = source.indexOf(this.activeId);
    this.draw();
  }

  /** Put something beside the filter. */
  addTool(...tools: HTMLElement[]): void {
    this.filter.before(...tools);
  }

  /** Give the keyboard to the rows. */
  focus(): void {
    this.grid.table.focus({ preventScroll: true });
  }

  dispose(): void {
    this.resized.disconnect();
  }

  private copier(): HTMLElement {
    const title = 'Copy what is listed as tab-separated text';
    const button = h('button', { type: 'button', class: 'mp-button', title }, 'Copy');
    button.addEventListener('click', () => {
      void copyFrom(button, this.text(0, this.options.source.total));
    });
    return button;
  }

  private listen(): void {
    const { table, el } = this.grid;
    const draw = (): void => {
      this.draw();
    };
    this.filter.addEventListener('input', () => {
      this.arrange({ filter: this.filter.value });
    });
    el.addEventListener('scroll', draw, { passive: true });
    table.addEventListener('keydown', (event) => {
      this.onKey(event);
    });
    table.addEventListener('click', (event) => {
      this.onClick(event);
    });
    table.addEventListener('copy', (event) => {
      this.onCopy(event);
    });
    this.resized.observe(el);
  }

  private sortBy(column: Column<R>): void {
    const same = this.order.key === column.key;
    this.arrange({ key: column.key, descending: same ? !this.order.descending : Boolean(column.numeric) });
  }

  private arrange(change: Partial<Order>): void {
    this.order = { ...this.order, ...change };
    this.grid.showOrder(this.order.key, this.order.descending);
    this.options.source.arrange(this.order);
    this.refresh();
  }

  private draw(): void {
    const { total } = this.options.source;
    show(this.grid.el, total > 0);
    show(this.empty, total === 0);
    setText(this.empty, this.order.filter ? 'Nothing matches the filter.' : this.options.empty);
    setText(this.counted, count(total, this.options.one));
    this.grid.draw(this.active);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.target !== this.grid.table || event.altKey || event.ctrlKey || event.metaKey) return;
    const to = this.target(event.key);
    if (to !== null) this.select(to);
    else if (event.key === 'Enter') this.open(this.active);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** The row that a key leads to. */
  private target(key: string): number | null {
    const { page } = this.grid;
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    if (key === 'Home') return 0;
    if (key === 'End') return this.options.source.total - 1;
    const step = steps[key];
    return step === undefined ? null : this.active < 0 ? 0 : this.active + step;
  }

  private onClick(event: MouseEvent): void {
    if (!(event.target instanceof Element)) return;
    const index = this.grid.rowOf(event.target);
    if (index < 0) return;
    this.select(index);
    const opener = this.grid.cell(index, this.openerAt);
    if (this.openerAt < 0 || opener?.contains(event.target)) this.open(index);
  }

  private open(index: number): void {
    const row = this.options.source.at(index);
    const cell = this.grid.cell(index, Math.max(0, this.openerAt));
    if (row !== undefined && cell) this.options.open?.(row, cell);
  }

  private select(index: number): void {
    const { source, id } = this.options;
    this.active = Math.max(0, Math.min(source.total - 1, index));
    const row = source.at(this.active);
    this.activeId = row === undefined ? '' : id(row);
    this.grid.scrollTo(this.active);
    this.draw();
  }

  /** Ctrl+C: the row that is selected, unless some text is. */
  private onCopy(event: ClipboardEvent): void {
    if (this.active < 0 || document.getSelection()?.isCollapsed === false) return;
    event.clipboardData?.setData('text/plain', this.text(this.active, this.active + 1));
    event.preventDefault();
  }

  private text(first: number, last: number): string {
    const columns = this.options.columns.filter(({ title }) => title);
    const rows = Array.from({ length: last - first }, (_, at) => this.options.source.at(first + at));
    return tabSeparated(
      columns,
      rows.filter((row) => row !== undefined),
    );
  }
}
