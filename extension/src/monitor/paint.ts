/** Strokes and fills on a canvas, from values; NaN and infinities leave a gap. */
import { lowerBound } from './columns';

/** Where values are on the canvas, in its own pixels. */
export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly x0: number;
  readonly x1: number;
  readonly y0: number;
  readonly y1: number;
  readonly log: boolean;
}

export class Place {
  private readonly perX: number;
  private readonly perY: number;
  private readonly base: number;

  constructor(readonly frame: Frame) {
    const { log, y0, y1 } = frame;
    this.base = log ? Math.log10(y0) : y0;
    this.perX = frame.width / (frame.x1 - frame.x0);
    this.perY = frame.height / ((log ? Math.log10(y1) : y1) - this.base);
  }

  x(value: number): number {
    return this.frame.left + (value - this.frame.x0) * this.perX;
  }

  /** NaN where the value cannot be drawn. */
  y(value: number): number {
    const raised = this.frame.log ? Math.log10(value) : value;
    return this.frame.top + this.frame.height - (raised - this.base) * this.perY;
  }
}

type Context = CanvasRenderingContext2D;
type Numbers = ArrayLike<number>;

/**
 * Add the points from index `first` to before `end` to the path.
 *
 * Where several points share a column of `step` pixels, only the lowest and the highest of them are kept: nothing
 * that could be seen is lost, and a line costs no more than the screen is wide.
 */
export function trace(
  path: Context | Path2D,
  place: Place,
  xs: Numbers,
  ys: Numbers,
  first: number,
  end: number,
  step = 1,
): void {
  let drawing = false;
  let index = first;
  while (index < end) {
    const x = place.x(xs[index] ?? NaN);
    let low = place.y(ys[index] ?? NaN);
    let high = low;
    let lowLast = true;
    index += 1;
    while (index < end && place.x(xs[index] ?? NaN) - x < step) {
      const y = place.y(ys[index] ?? NaN);
      if (y < low) [low, lowLast] = [y, true];
      if (y > high) [high, lowLast] = [y, false];
      if (!Number.isFinite(low)) [low, high] = [y, y];
      index += 1;
    }
    if (!Number.isFinite(low) || !Number.isFinite(high)) {
      drawing = false;
      continue;
    }
    const [one, other] = lowLast ? [high, low] : [low, high];
    if (drawing) path.lineTo(x, one);
    else path.moveTo(x, one);
    if (one !== other || !drawing) path.lineTo(x, other);
    drawing = true;
  }
}

/** Fill between two curves, piece by piece where both are known. */
export function fillBetween(context: Context, place: Place, xs: Numbers, low: Numbers, high: Numbers): void {
  const [first, end] = visible(place, xs);
  const at = (values: Numbers, index: number): number => place.y(values[index] ?? NaN);
  let start = first;
  while (start < end) {
    let stop = start;
    while (stop < end && Number.isFinite(at(low, stop)) && Number.isFinite(at(high, stop))) stop += 1;
    if (stop > start) {
      context.beginPath();
      for (let index = start; index < stop; index += 1)
        context.lineTo(place.x(xs[index] ?? 0), at(high, index));
      for (let index = stop - 1; index >= start; index -= 1)
        context.lineTo(place.x(xs[index] ?? 0), at(low, index));
      context.fill();
    }
    start = stop + 1;
  }
}

/** Stroke a curve; its end, and a point with a gap on both sides, is a dot. */
export function strokeCurve(context: Context, place: Place, xs: Numbers, ys: Numbers, width: number): void {
  const [first, end] = visible(place, xs);
  context.lineWidth = width;
  context.beginPath();
  trace(context, place, xs, ys, first, end);
  context.stroke();
  const known = (index: number): boolean => Number.isFinite(place.y(ys[index] ?? NaN));
  context.beginPath();
  for (let index = first; index < end; index += 1) {
    const last = index === xs.length - 1;
    if (known(index) && (last || (!known(index - 1) && !known(index + 1))))
      dot(context, place, xs, ys, index, 1.3 * width);
  }
  context.fill();
}

/** The indices that can be seen, with one more on each side. */
export function visible(place: Place, xs: Numbers): [number, number] {
  const { x0, x1 } = place.frame;
  return [Math.max(0, lowerBound(xs, x0) - 1), Math.min(xs.length, lowerBound(xs, x1) + 1)];
}

function dot(context: Context, place: Place, xs: Numbers, ys: Numbers, index: number, radius: number): void {
  const [x, y] = [place.x(xs[index] ?? NaN), place.y(ys[index] ?? NaN)];
  if (!Number.isFinite(y)) return;
  context.moveTo(x + radius, y);
  context.arc(x, y, radius, 0, 2 * Math.PI);
}
