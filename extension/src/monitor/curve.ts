/** What many lines amount to: the arithmetic of `manta_nb/session/curves.py`, kept up to date as points come. */
import { Column, lowerBound } from './columns';
import type { Line } from './line';

/** Mean, lowest and highest of the lines that have a number there; NaN where none has. */
export class Curve {
  readonly x = new Column();
  readonly mean = new Column();
  readonly low = new Column();
  readonly high = new Column();
  readonly n = new Column();

  get length(): number {
    return this.x.length;
  }

  add(x: number, mean: number, low: number, high: number, n: number): void {
    this.x.push(x);
    this.mean.push(mean);
    this.low.push(low);
    this.high.push(high);
    this.n.push(n);
  }

  /** Forget the points at `x` and after. */
  drop(x: number): void {
    const length = lowerBound(this.x.view(), x);
    for (const column of [this.x, this.mean, this.low, this.high, this.n]) column.cut(length);
  }

  /** The index of the last point at or before `x`, -1 for none. */
  before(x: number): number {
    const xs = this.x.view();
    const index = lowerBound(xs, x);
    return index < xs.length && xs[index] === x ? index : index - 1;
  }
}

/** Both curves of a metric: as it runs inside iterations, and the last value of each node in each iteration. */
export class Curves {
  readonly running = new Curve();
  readonly byIteration = new Curve();

  /** Add up anew from an iteration on. */
  update(lines: Iterable<Line>, from: number, committed: number): void {
    this.running.drop(from);
    this.byIteration.drop(from);
    const all = Array.from(lines, (line) => ({ line, group: lowerBound(line.iterations.view(), from) }));
    for (;;) {
      const iteration = Math.min(...all.map(({ line, group }) => line.iterationOf(group)));
      if (iteration === Infinity) return;
      const here = all.filter(({ line, group }) => line.iterationOf(group) === iteration);
      this.addIteration(here, iteration, committed);
      for (const place of here) place.group += 1;
    }
  }

  /** Lines of different numbers of values are compared on the grid of the one with the fewest. */
  private addIteration(here: readonly Group[], iteration: number, committed: number): void {
    const tally = new Tally();
    let cells = Infinity;
    for (const { line, group } of here) {
      tally.take(line.value.at(line.end(group) - 1));
      cells = Math.min(cells, line.size(group, committed));
    }
    tally.give(this.byIteration, iteration);
    for (let cell = 0; cell < cells; cell += 1) {
      for (const { line, group } of here) {
        const size = line.size(group, committed);
        const first = line.start(group) + Math.ceil((cell * size) / cells);
        const end = Math.min(line.end(group), line.start(group) + Math.ceil(((cell + 1) * size) / cells));
        if (first < end) tally.take(meanOf(line, first, end));
      }
      tally.give(this.running, iteration + cell / cells);
    }
  }
}

/** The points of an iteration in a line. */
interface Group {
  readonly line: Line;
  group: number;
}

/** Adds up the values of the lines in one place, NaN left out. */
class Tally {
  private sum = 0;
  private low = NaN;
  private high = NaN;
  private known = 0;
  private taken = 0;

  take(value: number): void {
    this.taken += 1;
    if (Number.isNaN(value)) return;
    this.sum += value;
    this.low = this.known && this.low < value ? this.low : value;
    this.high = this.known && this.high > value ? this.high : value;
    this.known += 1;
  }

  /** Make a point of it, where any line has come so far, and begin anew. */
  give(curve: Curve, x: number): void {
    if (this.taken) curve.add(x, this.known ? this.sum / this.known : NaN, this.low, this.high, this.known);
    this.sum = this.known = this.taken = 0;
    this.low = this.high = NaN;
  }
}

function meanOf(line: Line, first: number, end: number): number {
  if (end - first === 1) return line.value.at(first);
  let [sum, known] = [0, 0];
  for (let index = first; index < end; index += 1) {
    const value = line.value.at(index);
    if (Number.isNaN(value)) continue;
    sum += value;
    known += 1;
  }
  return known ? sum / known : NaN;
}
