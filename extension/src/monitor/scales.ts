/** The ends of axes: calm ones, that stay where they are while values wander inside them. */
import type { Curve } from './curve';
import { lowerBound } from './columns';
import type { Line } from './line';

export type Range = readonly [low: number, high: number];

/** The iterations that are shown when nobody has zoomed. */
export function iterationRange(
  last: number,
  iterations: number | null,
  inside: boolean,
  finished: boolean,
): Range {
  const end = inside ? Math.ceil(last + 1e-9) : last;
  const known = iterations === null ? Infinity : inside ? iterations : iterations - 1;
  if (finished) return [0, Math.max(1, end)];
  return [0, Math.max(1, known <= 30 ? known : Math.min(known, grown(end)))];
}

const STEPS = [1, 1.5, 2, 3, 5, 7.5];

/** The next of 10, 15, 20, 30, 50, 75, 100, … above. */
function grown(value: number): number {
  let power = 10;
  for (;;) {
    for (const step of STEPS) if (step * power > value) return step * power;
    power *= 10;
  }
}

/** Where differences would overflow. */
const HUGE = 1e300;

/** Ends for values between `low` and `high`, rounded so that they seldom change. */
export function valueRange(low: number, high: number, log: boolean): Range {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return log ? [0.1, 1] : [0, 1];
  if (log) return logRange(low, high);
  if (!Number.isFinite(2 * (high - low)))
    return valueRange(Math.max(low, -HUGE), Math.min(high, HUGE), false);
  if (low === high) {
    const room = Math.abs(low) / 10 || 0.5;
    return [low - room, high + room];
  }
  const step = niceStep((high - low) / 8);
  const pad = (high - low) * 0.03;
  const bottom = low >= 0 && low - pad < 0 ? 0 : Math.floor((low - pad) / step) * step;
  return [bottom, Math.ceil((high + pad) / step) * step];
}

function logRange(low: number, high: number): Range {
  const room = 10 ** Math.max(0.02, 0.04 * Math.log10(high / low));
  const rounded = (value: number, round: (value: number) => number): number => {
    const power = 10 ** Math.floor(Math.log10(value));
    return round((10 * value) / power) * (power / 10);
  };
  return [rounded(low / room, Math.floor), rounded(high * room, Math.ceil)];
}

/** 1, 2 or 5 times a power of ten, not below. */
function niceStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 5, 10].find((step) => step * power >= value * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** The lowest and the highest number that is seen, of which a logarithm takes the positive ones only. */
export class Extent {
  low = Infinity;
  high = -Infinity;

  constructor(
    private readonly range: Range,
    private readonly log: boolean,
  ) {}

  curve({ x, low, high }: Pick<Curve, 'x' | 'low' | 'high'>): this {
    const [xs, lows, highs] = [x.view(), low.view(), high.view()];
    for (let index = lowerBound(xs, this.range[0]); index < xs.length; index += 1) {
      if ((xs[index] ?? 0) > this.range[1]) break;
      this.take(lows[index] ?? NaN);
      this.take(highs[index] ?? NaN);
    }
    return this;
  }

  line({ x, value, reach }: Line): this {
    if (x.length && this.range[0] <= x.at(0) && this.range[1] >= x.at(x.length - 1)) {
      this.take(this.log ? reach.positive : reach.low);
      this.take(reach.high);
      return this;
    }
    const [xs, values] = [x.view(), value.view()];
    for (let index = lowerBound(xs, this.range[0]); index < xs.length; index += 1) {
      if ((xs[index] ?? 0) > this.range[1]) break;
      this.take(values[index] ?? NaN);
    }
    return this;
  }

  values(): Range {
    return valueRange(this.low, this.high, this.log);
  }

  private take(value: number): void {
    if (!Number.isFinite(value) || (this.log && value <= 0)) return;
    if (value < this.low) this.low = value;
    if (value > this.high) this.high = value;
  }
}
