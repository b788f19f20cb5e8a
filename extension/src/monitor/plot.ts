/** One plot: axes, zoom and cursor by uPlot, the lines by `paint`. */
import uPlot from 'uplot';
import { paintContent } from './content';
import type { Content } from './content';
import { integer, number } from './format';
import { ThinLayer } from './layer';
import type { Frame } from './paint';
import type { Palette } from './palette';
import { Extent } from './scales';
import type { Range } from './scales';

export interface PlotEvents {
  /** an x and a y in CSS pixels of the plot, or null when the pointer left */
  hover(at: { x: number; left: number; top: number } | null): void;
  zoom(range: Range | null): void;
}

const HEIGHT = 190;

/** uPlot's number for a logarithmic scale; its enum exists for the compiler only. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the number has no other name at run time
const LOGARITHMIC: Partial<uPlot.Scale> = { distr: 3, log: 10 };

/** Steps between the numbers under a plot: an iteration is never divided. */
const WHOLE = [0, 1, 2, 3, 4, 5, 6].flatMap((power) => [1, 2, 5].map((step) => step * 10 ** power));

export class Plot {
  readonly el: HTMLElement;
  private readonly layer = new ThinLayer();
  private chart: uPlot | null = null;
  private content: Content | null = null;
  private values: Range = [0, 1];
  private drawnLog = false;

  constructor(
    private palette: Palette,
    private readonly events: PlotEvents,
    private readonly sync: uPlot.SyncPubSub,
  ) {
    this.el = document.createElement('div');
    this.el.className = 'mm-plot';
    this.el.setAttribute('aria-hidden', 'true');
  }

  log = false;

  /** Draw the content; the plot has the width of its element. */
  draw(content: Content): void {
    const log = this.log;
    // uPlot cannot change the kind of a scale
    if (this.drawnLog !== log) this.dispose();
    this.drawnLog = log;
    this.content = content;
    this.values = extent(content, log).values();
    const data = [content.curve.x.view(), content.curve.mean.view()] as unknown as uPlot.AlignedData;
    if (!this.chart) this.chart = new uPlot(this.options(log), data, this.el);
    else this.chart.setData(data);
  }

  repaint(palette: Palette): void {
    this.palette = palette;
    this.chart?.redraw(false, true);
  }

  resize(): void {
    const width = Math.floor(this.el.clientWidth);
    if (this.chart && width > 0 && width !== this.chart.width) this.chart.setSize({ width, height: HEIGHT });
  }

  /** Put the cursor at an x, as the keyboard does; null takes it away. */
  point(x: number | null): void {
    if (!this.chart) return;
    const left = x === null ? -10 : this.chart.valToPos(x, 'x');
    this.chart.setCursor({ left, top: x === null ? -10 : this.chart.over.clientHeight / 2 });
  }

  /** The height of a value in CSS pixels of the plot. */
  top(value: number): number {
    return this.chart ? this.chart.valToPos(value, 'y') : NaN;
  }

  get canvas(): HTMLCanvasElement | null {
    return this.chart?.ctx.canvas ?? null;
  }

  /** The left edge and the width of the plotting area in CSS pixels. */
  get area(): { left: number; width: number } {
    const over = this.chart?.over;
    return { left: over?.offsetLeft ?? 0, width: over?.clientWidth ?? 0 };
  }

  dispose(): void {
    this.chart?.destroy();
    this.chart = null;
  }

  private options(log: boolean): uPlot.Options {
    return {
      width: Math.max(160, Math.floor(this.el.clientWidth)),
      height: HEIGHT,
      padding: [10, 18, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: false, range: () => [...(this.content?.range ?? [0, 1])] },
        y: { range: () => [...this.values], ...(log ? LOGARITHMIC : {}) },
      },
      axes: this.axes(),
      series: [{}, { paths: () => null, points: { show: false } }],
      cursor: this.cursor(),
      hooks: {
        drawAxes: [(chart) => this.paint(chart)],
        setCursor: [(chart) => this.hovered(chart)],
        setSelect: [(chart) => this.selected(chart)],
      },
    };
  }

  private axes(): uPlot.Axis[] {
    const axis = (): uPlot.Axis => ({
      stroke: () => this.palette.dim,
      grid: { stroke: () => this.palette.grid, width: 1 },
      ticks: { stroke: () => this.palette.grid, width: 1, size: 4 },
      font: `11px ${this.palette.font}`,
      gap: 4,
    });
    const iterations = (_: uPlot, splits: number[]): string[] => splits.map(integer);
    const values = (_: uPlot, splits: (number | null)[]): string[] =>
      splits.map((value) => (value === null ? '' : number(value, 3)));
    return [
      { ...axis(), incrs: WHOLE, space: 44, size: 26, values: iterations },
      { ...axis(), size: measured, space: 32, values: values },
    ];
  }

  private cursor(): uPlot.Cursor {
    return {
      y: false,
      points: { show: false },
      drag: { x: true, y: false, setScale: false, dist: 6 },
      sync: { key: this.sync.key, setSeries: false, scales: ['x', null] },
      bind: {
        dblclick: () => () => {
          this.events.zoom(null);
          return null;
        },
      },
    };
  }

  private hovered(chart: uPlot): void {
    const { left = -1, top = -1 } = chart.cursor;
    this.events.hover(left < 0 ? null : { x: chart.posToVal(left, 'x'), left, top });
  }

  private selected(chart: uPlot): void {
    const { left, width } = chart.select;
    if (width < 6) return;
    chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.events.zoom([chart.posToVal(left, 'x'), chart.posToVal(left + width, 'x')]);
  }

  private paint(chart: uPlot): void {
    const { ctx, bbox } = chart;
    const content = this.content;
    if (!content) return;
    const [x0, x1] = content.range;
    const [y0, y1] = this.values;
    const frame: Frame = { ...bbox, x0, x1, y0, y1, log: this.log };
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    paintContent(ctx, frame, content, this.palette, this.layer);
    ctx.restore();
  }
}

function extent(content: Content, log: boolean): Extent {
  const found = new Extent(content.range, log).curve(content.curve);
  if (!content.band) for (const { line } of content.thin) found.line(line);
  return found;
}

/** As wide as the longest number on the axis. */
function measured(_: uPlot, values: string[] | null): number {
  const longest = (values ?? []).reduce((length, text) => Math.max(length, text.length), 2);
  return 14 + longest * 6.2;
}
