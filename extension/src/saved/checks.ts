/** What a notebook's file says, taken for what it should be: it comes from strangers, and anything may stand there. */

export type Fields = Readonly<Record<string, unknown>>;

/** Larger numbers of iterations, tasks and the like are taken for nonsense, not for something to draw. */
export const MOST_COUNTED = 10_000_000;

/** An object with fields; null for anything else. */
export function fields(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

/** A text, cut where it is too long; "" for anything else. */
export function text(value: unknown, most = 300): string {
  if (typeof value !== 'string') return '';
  return value.length <= most ? value : `${value.slice(0, most - 1)}…`;
}

/** A finite number; null for anything else. */
export function finite(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** A whole number from 0 to `most`; null for anything else. */
export function whole(value: unknown, most = MOST_COUNTED): number | null {
  const found = finite(value);
  return found !== null && Number.isInteger(found) && found >= 0 && found <= most ? found : null;
}

/** Bytes, which may be more than anything that is counted. */
export function size(value: unknown): number {
  return Math.max(0, finite(value) ?? 0);
}

/** The first elements of a list; none for anything else. */
export function list(value: unknown, most: number): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, most) : [];
}

/** `0 0.25 nan inf`: the numbers of a text, as many as may be drawn. */
export function numbers(value: unknown, most = 2_000): number[] {
  if (typeof value !== 'string') return [];
  // no number is written with more characters than this
  const words = value.slice(0, 26 * most).split(' ', most);
  return words.filter(Boolean).map(numberOf);
}

function numberOf(word: string): number {
  if (word === 'inf') return Infinity;
  if (word === '-inf') return -Infinity;
  // Number('') is 0 and Number('0x10') is 16
  return /^-?[\d.]+(e[+-]?\d+)?$/.test(word) ? Number(word) : NaN;
}

/** The rows of a table by the names of its columns, and how many rows were left out. */
export function table(value: unknown, most = 1000): { rows: Fields[]; more: number } {
  const told = fields(value);
  const columns = list(told?.columns, 20).map((name) => text(name, 40));
  const all = Array.isArray(told?.rows) ? told.rows.length : 0;
  const rows = list(told?.rows, most).flatMap((row) => {
    if (!Array.isArray(row)) return [];
    const cells: readonly unknown[] = row;
    return [Object.fromEntries(columns.map((name, at) => [name, cells[at]]))];
  });
  return { rows, more: (whole(told?.more) ?? 0) + Math.max(0, all - most) };
}
