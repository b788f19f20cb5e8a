/** The nodes of a large run: pages asked from the kernel as they come into sight. */
import type { NodeEntry } from './nodecolumns';
import type { Kernel } from './panel';
import type { NodesAnswer } from './protocol';
import type { Order, Source } from './rows';
import { nodeRow } from './store';

const PAGE = 100;
/** milliseconds between two looks at the same rows */
const REST = 1000;

export class RemoteNodes implements Source<NodeEntry> {
  total = 0;
  private pages = new Map<number, readonly NodeEntry[]>();
  private asking = new Set<number>();
  private order: Order = { key: null, descending: false, filter: '' };
  /** counts the orders; an answer to an earlier one is dropped */
  private turn = 0;
  private seen: readonly number[] = [0];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private started = false;

  constructor(
    private readonly kernel: Kernel,
    private readonly taskNames: () => readonly string[],
    private readonly changed: () => void,
  ) {}

  at(index: number): NodeEntry | undefined {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  indexOf(id: string): number {
    for (const [page, rows] of this.pages) {
      const at = rows.findIndex((row) => row.id === id);
      if (at >= 0) return page * PAGE + at;
    }
    return -1;
  }

  arrange(order: Order): void {
    this.order = order;
    this.turn += 1;
    this.asking.clear();
    this.seen = [0];
    if (this.started) this.later(this.total ? 150 : 0);
  }

  need(first: number, last: number): void {
    if (last <= first) return;
    const pages = [...new Set([Math.floor(first / PAGE), Math.floor((last - 1) / PAGE)])];
    this.seen = pages;
    for (const page of pages) if (!this.pages.has(page)) this.ask(page);
  }

  /** The nodes went on: look again at what is in sight, at most once a second. */
  touch(): void {
    this.started = true;
    this.later(this.total ? REST : 0);
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.turn += 1;
  }

  private later(wait: number): void {
    if (this.timer !== undefined && wait >= REST) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      for (const page of this.seen) this.ask(page);
    }, wait);
  }

  private ask(page: number): void {
    if (!this.started || this.asking.has(page)) return;
    const { turn, order } = this;
    this.asking.add(page);
    const { descending, filter } = order;
    this.kernel
      .ask({ op: 'nodes', sort: order.key ?? '', descending, filter, offset: page * PAGE, limit: PAGE })
      .then(
        (answer) => {
          if (turn === this.turn && answer.ok) this.put(page, answer as NodesAnswer);
        },
        () => undefined,
      )
      .finally(() => {
        if (turn === this.turn) this.asking.delete(page);
      });
  }

  private put(page: number, { total, rows }: NodesAnswer): void {
    // pages out of sight are old by now
    this.pages = new Map([...this.pages].filter(([kept]) => this.seen.includes(kept) && kept !== page));
    this.pages.set(
      page,
      rows.map(([id, ...cells]) => ({ id, row: nodeRow(cells, this.taskNames()) })),
    );
    this.total = total;
    this.changed();
  }
}
