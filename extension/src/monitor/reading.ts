/** A chart in words and numbers: what it says at a point. */
import { lowerBound } from './columns';
import type { Content } from './content';
import type { Curve } from './curve';
import { count, integer, number } from './format';
import type { Range } from './scales';

export interface ChartContent extends Content {
  readonly label: string;
  readonly names: readonly string[];
  /** what stands in place of the plot where there is nothing to draw */
  readonly message: string;
  /** lines of text under the plot: the lowest and the highest nodes */
  readonly notes: readonly string[];
  readonly zoomed: boolean;
}

/** A point of a chart in words. */
export interface Reading {
  readonly value: string;
  readonly spread: string;
  /** the iteration, where it is not the newest */
  readonly where: string;
}

/** The newest values of the nodes, or those of the iteration that is looked back at. */
export function standing({ metric, band, cut }: ChartContent): Reading {
  const curve = band?.curve ?? metric?.curves.byIteration;
  if (!curve?.length) return { value: '–', spread: 'nothing yet', where: '' };
  return reading(curve, cut === null ? curve.length - 1 : curve.before(cut + 1e-9), cut === null);
}

/** The values at a point of the curve, where a pointer is. */
export function passing({ curve }: ChartContent, index: number): Reading {
  return reading(curve, index, false);
}

function reading(curve: Curve, index: number, newest: boolean): Reading {
  if (index < 0) return { value: '–', spread: 'nothing yet', where: '' };
  const n = curve.n.at(index);
  const range = `${number(curve.low.at(index))} to ${number(curve.high.at(index))}`;
  return {
    value: number(curve.mean.at(index)),
    // a notebook may not say how many they were
    spread: n > 1 ? `mean of ${integer(n)} nodes · ${range}` : !Number.isNaN(n) ? count(n, 'node') : range,
    where: newest ? '' : `iteration ${where(curve.x.at(index))}`,
  };
}

/** The index of the value of sorted `xs` that is nearest to `x`. */
export function nearest(xs: ArrayLike<number>, x: number): number {
  const after = Math.min(xs.length - 1, lowerBound(xs, x));
  const before = Math.max(0, after - 1);
  return x - (xs[before] ?? 0) <= (xs[after] ?? 0) - x ? before : after;
}

/** An x in words: `12`, or `12.25` inside an iteration. */
export function where(x: number): string {
  return String(Number(x.toFixed(2)));
}

/** A range around the middle, `factor` as wide. */
export function zoomed([low, high]: Range, middle: number, factor: number): Range {
  const half = ((high - low) * factor) / 2;
  return [middle - half, middle + half];
}
