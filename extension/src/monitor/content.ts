/** What a plot shows, and how it is painted: bands, thin lines, the mean, and what is dimmed. */
import type { Band } from './bands';
import type { Curve } from './curve';
import type { ThinLayer, ThinLine } from './layer';
import type { MetricLines } from './lines';
import { Place, fillBetween, strokeCurve } from './paint';
import type { Frame } from './paint';
import type { Palette } from './palette';
import type { Range } from './scales';

/** What a plot shows. */
export interface Content {
  readonly curve: Curve;
  /** per-node lines, or the spread over many nodes */
  readonly metric: MetricLines | null;
  readonly band: Band | null;
  readonly thin: readonly ThinLine[];
  /** nodes that were picked by name stand out, all of them together stay in the background */
  readonly picked: boolean;
  readonly choice: string;
  readonly highlight: ThinLine | null;
  readonly range: Range;
  /** what comes after this x is dimmed; null dims nothing */
  readonly cut: number | null;
}

export function paintContent(
  context: CanvasRenderingContext2D,
  frame: Frame,
  content: Content,
  palette: Palette,
  layer: ThinLayer,
): void {
  const place = new Place(frame);
  const ratio = devicePixelRatio;
  const { curve, band, metric } = content;
  const xs = curve.x.view();
  context.lineJoin = 'round';
  context.fillStyle = context.strokeStyle = palette.accent;
  context.globalAlpha = 0.13;
  fillBetween(context, place, xs, curve.low.view(), curve.high.view());
  if (band) fillBetween(context, place, xs, band.p10.view(), band.p90.view());
  context.globalAlpha = 1;
  if (metric) {
    const alpha = content.picked ? 1 : Math.max(0.09, Math.min(0.55, 6 / content.thin.length));
    const width = (content.picked ? 1.25 : 1) * ratio;
    layer.draw(context, frame, metric, content.thin, { alpha, width, ratio, choice: content.choice });
  }
  context.fillStyle = context.strokeStyle = palette.accent;
  strokeCurve(context, place, xs, curve.mean.view(), 2.25 * ratio);
  if (content.highlight) paintHighlight(context, place, content.highlight, ratio);
  if (content.cut !== null) paintCut(context, place, content.cut, palette, ratio);
}

function paintHighlight(
  context: CanvasRenderingContext2D,
  place: Place,
  { line, colour }: ThinLine,
  ratio: number,
): void {
  context.strokeStyle = context.fillStyle = colour;
  strokeCurve(context, place, line.x.view(), line.value.view(), 1.75 * ratio);
}

/** Dim what came later than the iteration that is looked at. */
function paintCut(
  context: CanvasRenderingContext2D,
  place: Place,
  cut: number,
  palette: Palette,
  ratio: number,
): void {
  const { left, top, width, height } = place.frame;
  const x = Math.min(left + width, Math.max(left, place.x(cut)));
  context.fillStyle = palette.background;
  context.globalAlpha = 0.72;
  context.fillRect(x, top, left + width - x, height);
  context.globalAlpha = 1;
  context.fillStyle = palette.warn;
  context.fillRect(Math.round(x - ratio / 2), top, Math.max(1, 1.5 * ratio), height);
}
