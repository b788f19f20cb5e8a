/** The points of all metrics: one line for each node, and what the lines of a metric amount to. */
import { Curves } from './curve';
import { Line } from './line';

/** One metric: its lines by index of the node. */
export class MetricLines {
  readonly lines = new Map<number, Line>();
  readonly curves = new Curves();
  /** counts up whenever points were added, moved or dropped */
  revision = 0;
  /** counts up when a committed iteration changed after all: rows taken back, a late node */
  rewritten = 0;
  /** the points of the iterations before this one stay where they are */
  closed = 0;
  /** first iteration with points that are not placed yet */
  stale = Infinity;

  get points(): number {
    let points = 0;
    for (const line of this.lines.values()) points += line.length;
    return points;
  }

  line(node: number): Line {
    let line = this.lines.get(node);
    if (!line) this.lines.set(node, (line = new Line()));
    return line;
  }
}

export class LineStore {
  /** by index of the metric */
  readonly metrics = new Map<number, MetricLines>();
  private committed = 0;
  private dropped = false;

  /** Rows of `[metric, node, iteration]` and of `[step, value]`. */
  append(keys: Int32Array, values: Float64Array): void {
    for (let row = 0; 3 * row < keys.length; row += 1) {
      const iteration = keys[3 * row + 2] ?? 0;
      const metric = this.metric(keys[3 * row] ?? 0);
      metric.line(keys[3 * row + 1] ?? 0).push(iteration, values[2 * row] ?? NaN, values[2 * row + 1] ?? NaN);
      metric.stale = Math.min(metric.stale, iteration);
    }
  }

  /** Forget all points from an iteration on: its rows were taken back. */
  drop(from: number): void {
    this.dropped = true;
    for (const metric of this.metrics.values()) {
      for (const line of metric.lines.values()) line.drop(from);
      metric.stale = Math.min(metric.stale, from);
    }
  }

  /** Place what is new on the x axis and add it up; `committed` is how many iterations are. True if anything moved. */
  settle(committed: number): boolean {
    const commit = committed !== this.committed;
    this.committed = committed;
    let moved = this.dropped;
    this.dropped = false;
    for (const metric of this.metrics.values()) {
      if (metric.stale === Infinity && !commit) continue;
      moved = settleMetric(metric, committed) || moved;
    }
    return moved;
  }

  private metric(index: number): MetricLines {
    let metric = this.metrics.get(index);
    if (!metric) this.metrics.set(index, (metric = new MetricLines()));
    return metric;
  }
}

function settleMetric(metric: MetricLines, committed: number): boolean {
  let from = metric.stale;
  for (const line of metric.lines.values()) from = Math.min(from, line.settle(committed));
  metric.stale = Infinity;
  if (from < metric.closed) metric.rewritten += 1;
  metric.closed = committed;
  if (from === Infinity) return false;
  metric.curves.update(metric.lines.values(), from, committed);
  metric.revision += 1;
  return true;
}
