/** With many nodes: how the values of a metric spread over them, one row an iteration. */
import { Column, lowerBound } from './columns';
import { Curve } from './curve';

/** One metric: mean, lowest and highest, and between which values eight of ten nodes lie. */
export class Band {
  readonly curve = new Curve();
  readonly p10 = new Column();
  readonly p90 = new Column();
  revision = 0;

  /** A row for an iteration replaces those of it and after. */
  set(iteration: number, n: number, [mean, low, high, p10, p90]: Row): void {
    this.drop(iteration);
    this.curve.add(iteration, mean, low, high, n);
    this.p10.push(p10);
    this.p90.push(p90);
  }

  drop(from: number): void {
    const length = lowerBound(this.curve.x.view(), from);
    this.curve.drop(from);
    this.p10.cut(length);
    this.p90.cut(length);
    this.revision += 1;
  }
}

type Row = readonly [mean: number, low: number, high: number, p10: number, p90: number];

export class BandStore {
  /** by index of the metric */
  readonly metrics = new Map<number, Band>();

  /** Rows of `[metric, iteration, count]` and of `[mean, low, high, p10, p90]`. */
  append(keys: Int32Array, values: Float64Array): void {
    for (let row = 0; 3 * row < keys.length; row += 1) {
      const at = (column: number): number => values[5 * row + column] ?? NaN;
      const band = this.band(keys[3 * row] ?? 0);
      band.set(keys[3 * row + 1] ?? 0, keys[3 * row + 2] ?? 0, [at(0), at(1), at(2), at(3), at(4)]);
    }
  }

  drop(from: number): void {
    for (const band of this.metrics.values()) band.drop(from);
  }

  private band(metric: number): Band {
    let band = this.metrics.get(metric);
    if (!band) this.metrics.set(metric, (band = new Band()));
    return band;
  }
}
