/** The windowed part of a table: titles, and the rows in sight, rewritten in place. */
import { h, setAttribute, setText, show, uniqueId } from './dom';
import { type Readable, type Source, windowOf } from './rows';

export interface Column<R> extends Readable<R> {
  /** in em; what is longer is cut and shown on hovering */
  readonly width: number;
  readonly numeric?: boolean;
  /** stays in sight when the others are scrolled sideways */
  readonly pinned?: boolean;
  /** what the title says on hovering */
  readonly hint?: string;
  /** for what is more than text; called again on the same cell */
  draw?(cell: HTMLElement, row: R): void;
}

interface Line {
  readonly el: HTMLTableRowElement;
  readonly cells: readonly HTMLTableCellElement[];
}

/** A row's height in pixels, as in panels.css. */
export const ROW = 28;

export class Grid<R> {
  /** the box that scrolls */
  readonly el: HTMLElement;
  readonly table: HTMLTableElement;
  private readonly lines: Line[] = [];
  private readonly stem = uniqueId('row');
  private readonly above = spacer();
  private readonly below = spacer();
  private readonly body = h('tbody');
  private readonly heads: HTMLTableCellElement[];

  constructor(
    private readonly columns: readonly Column<R>[],
    private readonly source: Source<R>,
    label: string,
    wide: string | undefined,
    onTitle: (column: Column<R>) => void,
  ) {
    this.heads = columns.map((column) => head(column, onTitle));
    const widths = columns.map(({ key, width }) =>
      h('col', key === wide ? {} : { style: { width: `${width}em` } }),
    );
    const least = columns.reduce((sum, { width }) => sum + width, 0);
    const style = { 'min-width': `${least}em` };
    this.table = h(
      'table',
      { class: 'mp-grid', role: 'grid', tabindex: 0, 'aria-label': label, style },
      h('colgroup', {}, ...widths),
      h('thead', {}, h('tr', { 'aria-rowindex': 1 }, ...this.heads)),
      this.above,
      this.body,
      this.below,
    );
    this.el = h('div', { class: 'mp-scroll' }, this.table);
  }

  /** Rows that fit between the titles and the lower edge. */
  get page(): number {
    return Math.max(1, Math.floor((this.el.clientHeight - ROW) / ROW) - 1);
  }

  showOrder(key: string | null, descending: boolean): void {
    this.heads.forEach((cell, at) => {
      const sorted = this.columns[at]?.key === key && (descending ? 'descending' : 'ascending');
      setAttribute(cell, 'aria-sort', sorted);
    });
  }

  draw(active: number): void {
    const { total } = this.source;
    const { first, last } = windowOf(this.el.scrollTop, this.el.clientHeight - ROW, ROW, total);
    this.source.need?.(first, last);
    setAttribute(this.table, 'aria-rowcount', total + 1);
    stretch(this.above, first * ROW);
    stretch(this.below, (total - last) * ROW);
    while (this.lines.length < last - first) this.addLine();
    for (const { el } of this.lines.splice(last - first)) el.remove();
    this.lines.forEach((line, slot) => {
      this.rewrite(line, first + slot, first + slot === active);
    });
    const shown = active >= first && active < last;
    setAttribute(this.table, 'aria-activedescendant', shown && `${this.stem}-${active}`);
  }

  scrollTo(index: number): void {
    const top = index * ROW;
    const seen = this.el.clientHeight - 2 * ROW;
    if (top < this.el.scrollTop) this.el.scrollTop = top;
    else if (top > this.el.scrollTop + seen) this.el.scrollTop = top - seen;
  }

  /** The number of the row that holds an element, -1 for none. */
  rowOf(inside: Element): number {
    const line = this.lines.find(({ el }) => el.contains(inside));
    return line ? Number(line.el.getAttribute('aria-rowindex')) - 2 : -1;
  }

  /** A cell, if its row is in sight. */
  cell(index: number, column: number): HTMLElement | undefined {
    return this.lines.find(({ el }) => el.id === `${this.stem}-${index}`)?.cells[column];
  }

  private addLine(): void {
    const cells = this.columns.map((column) => h('td', { class: cellClass(column) }));
    const el = h('tr', {}, ...cells);
    this.body.append(el);
    this.lines.push({ el, cells });
  }

  private rewrite({ el, cells }: Line, index: number, active: boolean): void {
    const row = this.source.at(index);
    setAttribute(el, 'id', `${this.stem}-${index}`);
    setAttribute(el, 'aria-rowindex', index + 2);
    setAttribute(el, 'aria-selected', String(active));
    cells.forEach((cell, at) => {
      const column = this.columns[at];
      if (column) rewriteCell(cell, column, row);
    });
  }
}

function rewriteCell<R>(cell: HTMLElement, column: Column<R>, row: R | undefined): void {
  const text = row === undefined ? '…' : column.text(row);
  if (row !== undefined && column.draw) column.draw(cell, row);
  else setText(cell, text);
  setAttribute(cell, 'title', text.length * 0.55 > column.width && text);
}

function cellClass<R>({ numeric, pinned }: Column<R>): string {
  return [numeric && 'mp-num', pinned && 'mp-pinned'].filter(Boolean).join(' ');
}

function head<R>(column: Column<R>, onTitle: (column: Column<R>) => void): HTMLTableCellElement {
  const { title, hint } = column;
  const th = h('th', { scope: 'col', class: cellClass(column) });
  if (!title) return h('td', { class: 'mp-untitled' });
  const click = (): void => {
    onTitle(column);
  };
  th.append(
    h(
      'button',
      { type: 'button', class: 'mp-sort', title: hint ?? `Sort by ${title}`, on: { click } },
      title,
    ),
  );
  return th;
}

function spacer(): HTMLTableSectionElement {
  return h('tbody', { 'aria-hidden': 'true' }, h('tr', {}, h('td')));
}

/** A spacer stands for the rows that are not in the document. */
function stretch(section: HTMLElement, height: number): void {
  show(section, height > 0);
  const cell = section.querySelector('td');
  if (cell && cell.style.height !== `${height}px`) cell.style.height = `${height}px`;
}
