/** The log lines that are here: the newest as they come, and earlier ones that were asked for. */
import type { LogRow, State } from './store';

export interface LogFilter {
  readonly node: string;
  readonly task: string;
  readonly level: string;
  readonly text: string;
}

export const EVERYTHING: LogFilter = { node: '', task: '', level: '', text: '' };

/** Lines kept of those that came by themselves. */
const MOST = 20000;

export function passes(row: LogRow, { node, task, level, text }: LogFilter): boolean {
  return (
    (!node || row.node === node) &&
    (!task || row.task === task) &&
    (!level || row.level === level) &&
    (!text || row.text.toLowerCase().includes(text.toLowerCase()))
  );
}

/** `[3] node_1 train info: loss 0.3` */
export function lineText({ iteration, node, task, level, text }: LogRow): string {
  const place = [iteration === null ? '' : `[${iteration}]`, node, task, level].filter(Boolean).join(' ');
  return `${place}: ${text}`;
}

export class LogBuffer {
  private rows: LogRow[] = [];
  /** number of the first of `rows` */
  private first = 0;
  private earlier: readonly LogRow[] = [];
  private filter = EVERYTHING;
  private since: number | null = null;
  private more = true;

  /** The number of the earliest line that is here. */
  get start(): number {
    return this.since ?? this.first;
  }

  /** Whether there may be earlier lines. */
  get hasEarlier(): boolean {
    return this.start > 0 && this.more;
  }

  get levels(): string[] {
    return [...new Set(this.rows.map(({ level }) => level))].filter(Boolean).sort();
  }

  /** Take what is new; after a gap begin again. */
  take(logs: State['logs']): void {
    const next = this.first + this.rows.length;
    const known = next - logs.first;
    if (this.rows.length && known >= 0 && known <= logs.rows.length) {
      this.rows.push(...logs.rows.slice(known));
    } else {
      this.rows = [...logs.rows];
      this.first = logs.first;
      this.forget();
    }
    const extra = this.rows.length - MOST;
    if (extra <= 0) return;
    this.rows.splice(0, extra);
    this.first += extra;
    this.forget();
  }

  /** Lines that were asked for with this filter hold no others: another filter begins again. */
  setFilter(filter: LogFilter): void {
    this.filter = filter;
    this.forget();
  }

  /** Earlier lines, the first of which has the number `first`; returns how many there are. */
  prepend(rows: readonly LogRow[], first: number, more: boolean): number {
    this.earlier = [...rows, ...this.earlier];
    this.since = rows.length ? first : this.start;
    this.more = more && rows.length > 0;
    return rows.length;
  }

  /** Those that pass the filter, oldest first. */
  listed(): LogRow[] {
    const passing = this.rows.filter((row) => passes(row, this.filter));
    return this.earlier.length ? [...this.earlier, ...passing] : passing;
  }

  private forget(): void {
    this.earlier = [];
    this.since = null;
    this.more = true;
  }
}
