/**
 * The points of one metric on one node.
 *
 * The x of a point is its iteration plus its rank among the points of that iteration, divided by their number. While
 * an iteration runs that number is not known yet: the line's previous iteration says how many there will be.
 */
import { Column, lowerBound } from './columns';

export class Line {
  readonly x = new Column();
  readonly value = new Column();
  /** the iterations that have points, ascending, and the index of the first point of each */
  readonly iterations = new Column();
  private readonly starts = new Column();
  private readonly step = new Column();
  private readonly iteration = new Column();
  /** first group whose x is not settled */
  private fresh = 0;
  private disordered = false;
  /** the lowest and the highest finite value, and the lowest above zero, as they are now or once were */
  readonly reach = { low: Infinity, high: -Infinity, positive: Infinity };

  get length(): number {
    return this.value.length;
  }

  push(iteration: number, step: number, value: number): void {
    const last = this.length - 1;
    const before = this.iteration.at(last);
    this.disordered ||= iteration < before || (iteration === before && step < this.step.at(last));
    if (last < 0 || iteration !== before) {
      this.iterations.push(iteration);
      this.starts.push(this.length);
    }
    this.fresh = Math.min(this.fresh, this.iterations.length - 1);
    this.iteration.push(iteration);
    this.step.push(step);
    this.value.push(value);
    this.x.push(iteration);
    if (Number.isFinite(value)) this.stretch(value);
  }

  /** Forget the points from an iteration on. */
  drop(from: number): void {
    this.ordered();
    const group = lowerBound(this.iterations.view(), from);
    if (group === this.iterations.length) return;
    const length = this.starts.at(group);
    for (const column of [this.x, this.value, this.step, this.iteration]) column.cut(length);
    this.iterations.cut(group);
    this.starts.cut(group);
    this.fresh = Math.min(this.fresh, group);
  }

  /** Place the new points on the x axis; returns the first iteration whose points moved, Infinity for none. */
  settle(committed: number): number {
    this.ordered();
    if (this.fresh >= this.iterations.length) return Infinity;
    const first = this.iterations.at(this.fresh);
    for (let group = this.fresh; group < this.iterations.length; group += 1) this.place(group, committed);
    const open = this.iterations.at(this.iterations.length - 1) >= committed;
    this.fresh = this.iterations.length - (open ? 1 : 0);
    return first;
  }

  /** The iteration of a group of points, Infinity after the last. */
  iterationOf(group: number): number {
    return group < this.iterations.length ? this.iterations.at(group) : Infinity;
  }

  /** The index of the first point of a group. */
  start(group: number): number {
    return this.starts.at(group);
  }

  /** The index after the last point of a group. */
  end(group: number): number {
    return group + 1 < this.starts.length ? this.starts.at(group + 1) : this.length;
  }

  /** How many points the group has, or will have when its iteration is over. */
  size(group: number, committed: number): number {
    const now = this.end(group) - this.start(group);
    const running = group === this.iterations.length - 1 && this.iterations.at(group) >= committed;
    if (!running || group === 0) return now;
    return Math.max(now, this.start(group) - this.start(group - 1));
  }

  /** The index of the last point at or before `x`, -1 for none. */
  before(x: number): number {
    const xs = this.x.view();
    const index = lowerBound(xs, x);
    return index < xs.length && xs[index] === x ? index : index - 1;
  }

  private stretch(value: number): void {
    const { reach } = this;
    if (value < reach.low) reach.low = value;
    if (value > reach.high) reach.high = value;
    if (value > 0 && value < reach.positive) reach.positive = value;
  }

  private place(group: number, committed: number): void {
    const start = this.starts.at(group);
    const size = this.size(group, committed);
    const iteration = this.iterations.at(group);
    for (let index = start; index < this.end(group); index += 1) {
      this.x.set(index, iteration + (index - start) / size);
    }
  }

  /** Points come in order; where they do not (a late node, steps counted down), sort the whole line once. */
  private ordered(): void {
    if (!this.disordered) return;
    this.disordered = false;
    const rows = Array.from(this.value.view(), (value, index) => ({
      iteration: this.iteration.at(index),
      step: this.step.at(index),
      value,
    }));
    rows.sort((a, b) => a.iteration - b.iteration || compared(a.step, b.step));
    for (const column of [this.x, this.value, this.step, this.iteration, this.iterations, this.starts])
      column.cut(0);
    this.fresh = 0;
    for (const row of rows) this.push(row.iteration, row.step, row.value);
    this.disordered = false;
  }
}

/** Ascending; NaN (no step) comes last. */
function compared(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a - b;
}
