/** A matrix that is moved through cell by cell with the arrow keys; only the rows in sight are in the document. */
import { h, setAttribute, setText, uniqueId } from './dom';
import { type Matrix, type MatrixRow, labelled, level } from './matrix';
import { windowOf } from './rows';

/** A row's height in pixels, as in panels.css. */
const ROW = 20;
const NAME = 92;

export interface HeatOptions {
  readonly name: (row: MatrixRow) => string;
  readonly said: (row: MatrixRow, iteration: number) => string;
  /** the cell that the keyboard or the pointer is at */
  look(text: string): void;
  open(row: MatrixRow, iteration: number): void;
}

interface Line {
  readonly el: HTMLTableRowElement;
  readonly name: HTMLElement;
  readonly cells: HTMLTableCellElement[];
}

export class HeatGrid {
  readonly el: HTMLElement;
  private readonly table: HTMLTableElement;
  private readonly head = h('tr', { 'aria-rowindex': 1 });
  private readonly body = h('tbody');
  private readonly above = h('tbody', { 'aria-hidden': 'true' }, h('tr', {}, h('td')));
  private readonly below = h('tbody', { 'aria-hidden': 'true' }, h('tr', {}, h('td')));
  private readonly lines: Line[] = [];
  private readonly stem = uniqueId('cell');
  private readonly resized: ResizeObserver;
  private matrix: Matrix = { iterations: [], rows: [], most: { each: 0, nodes: 0 } };
  private at: number | null = null;
  private active: readonly [number, number] | null = null;

  constructor(private readonly options: HeatOptions) {
    this.table = h(
      'table',
      { class: 'mp-heat', role: 'grid', tabindex: 0, 'aria-label': 'Results by node and iteration' },
      h('thead', {}, this.head),
      this.above,
      this.body,
      this.below,
    );
    this.el = h('div', { class: 'mp-scroll mp-heat-box' }, this.table);
    const draw = (): void => {
      this.draw();
    };
    this.el.addEventListener('scroll', draw, { passive: true });
    this.resized = new ResizeObserver(draw);
    this.resized.observe(this.el);
    this.table.addEventListener('keydown', (event) => {
      this.onKey(event);
    });
    this.table.addEventListener('click', ({ target }) => {
      this.onPoint(target, true);
    });
    this.table.addEventListener('mouseover', ({ target }) => {
      this.onPoint(target, false);
    });
  }

  /** Columns that fit into a width. */
  static columns(width: number): number {
    return Math.max(8, Math.min(60, Math.floor((width - NAME - 16) / 10)));
  }

  put(matrix: Matrix, at: number | null, width: number): void {
    this.matrix = matrix;
    this.at = at;
    const cell = Math.max(
      9,
      Math.min(24, Math.floor((width - NAME - 16) / Math.max(1, matrix.iterations.length))),
    );
    this.table.style.width = `${NAME + cell * matrix.iterations.length}px`;
    this.drawHead(labelled(matrix.iterations, cell));
    this.draw();
  }

  dispose(): void {
    this.resized.disconnect();
  }

  focus(): void {
    this.table.focus({ preventScroll: true });
  }

  private drawHead(shown: ReadonlySet<number>): void {
    const { iterations } = this.matrix;
    if (!this.head.firstChild) this.head.append(h('th', { scope: 'col', class: 'mp-heat-name' }, 'node'));
    resize(this.head, iterations.length + 1, () => h('th', { scope: 'col' }, h('span')));
    iterations.forEach((iteration, at) => {
      const cell = this.head.children[at + 1];
      if (!cell) return;
      setAttribute(cell, 'class', iteration === this.at && 'mp-now');
      const text = cell.firstElementChild;
      if (!text) return;
      setText(text, iteration);
      setAttribute(text, 'class', !shown.has(iteration) && 'mp-unseen');
    });
  }

  private draw(): void {
    const { rows, iterations } = this.matrix;
    const { first, last } = windowOf(this.el.scrollTop, this.el.clientHeight - ROW, ROW, rows.length, 1);
    setAttribute(this.table, 'aria-rowcount', rows.length + 1);
    setAttribute(this.table, 'aria-colcount', iterations.length + 1);
    stretch(this.above, first * ROW);
    stretch(this.below, (rows.length - last) * ROW);
    while (this.lines.length < last - first) this.addLine();
    for (const { el } of this.lines.splice(last - first)) el.remove();
    this.lines.forEach((line, slot) => {
      this.rewrite(line, first + slot);
    });
    const id = this.active && `${this.stem}-${this.active.join('-')}`;
    setAttribute(this.table, 'aria-activedescendant', id);
  }

  private addLine(): void {
    const name = h('th', { scope: 'row', class: 'mp-heat-name' });
    const el = h('tr', {}, name);
    this.body.append(el);
    this.lines.push({ el, name, cells: [] });
  }

  private rewrite({ el, name, cells }: Line, at: number): void {
    const { iterations, rows } = this.matrix;
    const row = rows[at];
    if (!row) return;
    setAttribute(el, 'aria-rowindex', at + 2);
    const text = this.options.name(row);
    setText(name, text);
    setAttribute(name, 'title', text);
    while (cells.length < iterations.length) cells.push(el.appendChild(h('td')));
    for (const extra of cells.splice(iterations.length)) extra.remove();
    iterations.forEach((iteration, column) => {
      const cell = cells[column];
      if (!cell) return;
      const active = this.active?.[0] === at && this.active[1] === column;
      const dark = level(row.cells.get(iteration), this.matrix, row.node === null);
      setAttribute(cell, 'id', `${this.stem}-${at}-${column}`);
      setAttribute(
        cell,
        'class',
        `mp-level-${dark}${active ? ' mp-at' : ''}${iteration === this.at ? ' mp-now' : ''}`,
      );
      setAttribute(cell, 'aria-label', this.options.said(row, iteration));
    });
  }

  private onKey(event: KeyboardEvent): void {
    const [row, column] = this.active ?? [0, this.matrix.iterations.length - 1];
    const steps: Record<string, readonly [number, number]> = {
      ArrowDown: [1, 0],
      ArrowUp: [-1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
      PageDown: [10, 0],
      PageUp: [-10, 0],
      Home: [0, -Infinity],
      End: [0, Infinity],
    };
    const step = steps[event.key];
    if (step) this.move(this.active ? row + step[0] : row, this.active ? column + step[1] : column);
    else if (event.key === 'Enter' && this.active) this.open();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private move(row: number, column: number): void {
    const { rows, iterations } = this.matrix;
    const to = [clamp(row, rows.length), clamp(column, iterations.length)] as const;
    this.active = to;
    const top = to[0] * ROW;
    const seen = this.el.clientHeight - 2 * ROW;
    if (top < this.el.scrollTop) this.el.scrollTop = top;
    else if (top > this.el.scrollTop + seen) this.el.scrollTop = top - seen;
    this.draw();
    this.say(to);
  }

  private onPoint(target: EventTarget | null, open: boolean): void {
    if (!(target instanceof HTMLTableCellElement) || target.tagName !== 'TD' || !target.id) return;
    const [row = 0, column = 0] = target.id
      .slice(this.stem.length + 1)
      .split('-')
      .map(Number);
    if (!open) this.say([row, column]);
    else {
      this.move(row, column);
      this.open();
    }
  }

  private say([at, column]: readonly [number, number]): void {
    const { row, iteration } = this.cell(at, column);
    if (row && iteration !== undefined) this.options.look(this.options.said(row, iteration));
  }

  private open(): void {
    const [at, column] = this.active ?? [0, 0];
    const { row, iteration } = this.cell(at, column);
    if (row && iteration !== undefined && row.cells.has(iteration)) this.options.open(row, iteration);
  }

  private cell(at: number, column: number): { row?: MatrixRow; iteration?: number } {
    return { row: this.matrix.rows[at], iteration: this.matrix.iterations[column] };
  }
}

function clamp(value: number, length: number): number {
  return Math.max(0, Math.min(length - 1, value));
}

function resize(parent: HTMLElement, length: number, make: () => HTMLElement): void {
  while (parent.children.length < length) parent.append(make());
  while (parent.children.length > length) parent.lastElementChild?.remove();
}

/** Stands for the rows that are not in the document. */
function stretch(section: HTMLElement, height: number): void {
  setAttribute(section, 'hidden', height <= 0);
  const cell = section.querySelector('td');
  if (cell && cell.style.height !== `${height}px`) cell.style.height = `${height}px`;
}
