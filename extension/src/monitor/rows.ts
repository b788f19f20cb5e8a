/** Rows of a table as plain data: which are shown, in which order, and how they are copied. */

export interface Order {
  /** key of the column that is sorted by; null keeps the given order */
  readonly key: string | null;
  readonly descending: boolean;
  /** text that some column must hold; `column: text` looks in that column only */
  readonly filter: string;
}

export interface Readable<R> {
  readonly key: string;
  readonly title: string;
  text(row: R): string;
  /** what it is sorted by, where that is not the text; null comes last */
  order?(row: R): number | string | null;
}

/** Where a table's rows come from: held here, or fetched page by page. */
export interface Source<R> {
  readonly total: number;
  /** undefined while it is not here yet */
  at(index: number): R | undefined;
  /** -1 when it is not among those held here */
  indexOf(id: string): number;
  arrange(order: Order): void;
  /** the rows that are looked at now */
  need?(first: number, last: number): void;
}

export interface Window {
  readonly first: number;
  /** one after the last */
  readonly last: number;
}

/** The rows that stand in the visible part of a list, and a few around it. */
export function windowOf(scrolled: number, height: number, row: number, total: number, around = 3): Window {
  if (height <= 0 || total <= 0) return { first: 0, last: 0 };
  const top = Math.floor(Math.max(0, scrolled) / row);
  const last = Math.min(total, top + Math.ceil(height / row) + 1 + around);
  return { first: Math.max(0, Math.min(top - around, last - 1)), last };
}

/** Rows that are all here: filtered and sorted anew whenever they or the order change. */
export class LocalRows<R> implements Source<R> {
  private all: readonly R[] = [];
  private shown: readonly R[] = [];
  private order: Order = { key: null, descending: false, filter: '' };

  constructor(
    private readonly columns: readonly Readable<R>[],
    private readonly id: (row: R) => string,
  ) {}

  get total(): number {
    return this.shown.length;
  }

  at(index: number): R | undefined {
    return this.shown[index];
  }

  indexOf(id: string): number {
    return this.shown.findIndex((row) => this.id(row) === id);
  }

  set(rows: readonly R[]): void {
    this.all = rows;
    this.arrange(this.order);
  }

  arrange(order: Order): void {
    this.order = order;
    this.shown = arranged(this.all, this.columns, order);
  }
}

/** Those that pass the filter, in order; rows that compare equal keep their places. */
export function arranged<R>(rows: readonly R[], columns: readonly Readable<R>[], order: Order): readonly R[] {
  const wanted = matcher(columns, order.filter);
  const kept = wanted ? rows.filter(wanted) : rows;
  const column = columns.find(({ key }) => key === order.key);
  if (!column) return order.descending ? [...kept].reverse() : kept;
  const value = (row: R) => (column.order ? column.order(row) : column.text(row));
  const keyed = kept.map((row) => ({ row, value: value(row) }));
  const sign = order.descending ? -1 : 1;
  keyed.sort((a, b) => compare(a.value, b.value, sign));
  return keyed.map(({ row }) => row);
}

const collator = new Intl.Collator(undefined, { numeric: true });

type Value = number | string | null;

/** `sign` is -1 for descending; what is missing stays at the end either way. */
export function compare(a: Value, b: Value, sign = 1): number {
  const missing = Number(isMissing(a)) - Number(isMissing(b));
  if (missing || isMissing(a)) return missing;
  if (typeof a === 'number' && typeof b === 'number') return sign * (a - b);
  return sign * collator.compare(String(a), String(b));
}

function isMissing(value: Value): boolean {
  return value === null || value === '' || (typeof value === 'number' && Number.isNaN(value));
}

/** undefined lets every row pass. */
function matcher<R>(columns: readonly Readable<R>[], filter: string): ((row: R) => boolean) | undefined {
  const text = filter.trim().toLowerCase();
  if (!text) return undefined;
  const [, name, rest] = /^([^:]+):\s*(.*)$/.exec(text) ?? [];
  const named = columns.filter(({ key, title }) => [key, title.toLowerCase()].includes(name ?? '\0'));
  const [among, part] = named.length ? [named, rest ?? ''] : [columns, text];
  return (row) => among.some((column) => column.text(row).toLowerCase().includes(part));
}

/** As a spreadsheet takes it: a title line, cells between tabs. */
export function tabSeparated<R>(columns: readonly Readable<R>[], rows: Iterable<R>): string {
  const lines = [columns.map(({ title }) => tsvCell(title)).join('\t')];
  for (const row of rows) lines.push(columns.map((column) => tsvCell(column.text(row))).join('\t'));
  return `${lines.join('\n')}\n`;
}

/** One cell: no tab or line break, and nothing that a spreadsheet would take for a formula. */
export function tsvCell(text: string): string {
  const flat = text.replace(/[\t\r\n]+/g, ' ');
  const formula = /^\s*[=@+-]/.test(flat) && !/^\s*[+-]?[\d.,]+(e[+-]?\d+)?\s?[a-z%]{0,4}$/i.test(flat);
  return formula ? `'${flat}` : flat;
}
