/**
 * The thin lines of all nodes, kept as a picture.
 *
 * What is committed does not change, so it is painted once; as iterations are committed, only their pieces are added.
 * Only a change of scale, size, colour or choice paints it all again. The running iteration goes on top each time.
 */
import type { Line } from './line';
import type { MetricLines } from './lines';
import { Place, trace, visible } from './paint';
import type { Frame } from './paint';

export interface ThinLine {
  readonly line: Line;
  readonly colour: string;
}

export class ThinLayer {
  private readonly picture = document.createElement('canvas');
  private key = '';
  private painted = -Infinity;

  /** Put the lines on the canvas, up to now. */
  draw(
    target: CanvasRenderingContext2D,
    frame: Frame,
    metric: MetricLines,
    thin: readonly ThinLine[],
    look: Look,
  ): void {
    const { width, height } = target.canvas;
    const key = JSON.stringify([frame, look, metric.rewritten, width, height]);
    const place = new Place(frame);
    if (key !== this.key) {
      this.key = key;
      this.painted = -Infinity;
      this.picture.width = width;
      this.picture.height = height;
    }
    this.paint(place, thin, look, metric.closed);
    target.drawImage(this.picture, 0, 0);
    stroke(target, thin, look, (path, { line }) => {
      trace(
        path,
        place,
        line.x.view(),
        line.value.view(),
        Math.max(0, line.before(metric.closed - 1e-9)),
        line.length,
      );
    });
  }

  /** Add what was committed since the last time. */
  private paint(place: Place, thin: readonly ThinLine[], look: Look, closed: number): void {
    const context = this.picture.getContext('2d');
    if (!context || closed <= this.painted) return;
    const from = this.painted;
    const step = from === -Infinity && thin.length > 24 ? look.ratio * 2 : 1;
    stroke(context, thin, look, (path, { line }) => {
      const xs = line.x.view();
      const [first, last] = visible(place, xs);
      const start = from === -Infinity ? first : Math.max(first, line.before(from - 1e-9));
      const end = Math.min(last, line.before(closed - 1e-9) + 1);
      trace(path, place, xs, line.value.view(), Math.max(0, start), end, step);
    });
    this.painted = closed;
  }
}

/** How the lines look; `choice` names which are drawn. */
export interface Look {
  readonly alpha: number;
  readonly width: number;
  readonly ratio: number;
  readonly choice: string;
}

function stroke(
  context: CanvasRenderingContext2D,
  thin: readonly ThinLine[],
  look: Look,
  add: (context: CanvasRenderingContext2D, line: ThinLine) => void,
): void {
  context.save();
  context.globalAlpha = look.alpha;
  context.lineWidth = look.width;
  context.lineJoin = 'bevel';
  for (const line of thin) {
    context.strokeStyle = line.colour;
    context.beginPath();
    add(context, line);
    context.stroke();
  }
  context.restore();
}
