/** Several charts side by side that share their iterations, their zoom and the node that stands out. */
import uPlot from 'uplot';
import type { Band } from './bands';
import { Chart } from './chart';
import { Curve } from './curve';
import { fill, h, uniqueId } from './dom';
import type { ThinLine } from './layer';
import type { MetricLines } from './lines';
import { pickedColour, readPalette } from './palette';
import type { Palette } from './palette';
import type { Moment } from './panel';
import { iterationRange } from './scales';
import type { Range } from './scales';

/** What is to be drawn, whatever it measures. */
export interface Drawn {
  readonly key: string;
  readonly label: string;
  readonly metric: MetricLines | null;
  readonly band: Band | null;
  readonly notes: readonly string[];
}

export interface Situation {
  readonly names: readonly string[];
  readonly iterations: number | null;
  readonly finished: boolean;
  readonly moment: Moment;
  /** nodes that were picked, in order; none means all */
  readonly picked: ReadonlySet<number>;
}

const EMPTY = new Curve();

export class ChartGrid {
  readonly el = h('div', { class: 'mm-charts' });
  private readonly charts = new Map<string, Chart>();
  private readonly sync = uPlot.sync(uniqueId('sync'));
  private readonly resized = new ResizeObserver(() => {
    this.resize();
  });
  private drawn: readonly Drawn[] = [];
  private situation: Situation | null = null;
  private palette: Palette | null = null;
  private zoom: Range | null = null;
  private highlight: number | null = null;

  constructor() {
    this.resized.observe(this.el);
  }

  update(drawn: readonly Drawn[], situation: Situation): void {
    this.drawn = drawn;
    this.situation = situation;
    this.draw();
  }

  /** Colours may have changed. */
  repaint(): void {
    if (!this.el.isConnected) return;
    this.palette = readPalette(this.el);
    for (const chart of this.charts.values()) chart.repaint(this.palette);
    this.draw();
  }

  dispose(): void {
    this.resized.disconnect();
    for (const chart of this.charts.values()) chart.dispose();
  }

  private resize(): void {
    if (!this.el.clientWidth) return;
    this.draw();
    for (const chart of this.charts.values()) chart.resize();
  }

  /** Nothing is drawn where it cannot be seen: hidden, a plot has no width. */
  private draw(): void {
    if (!this.el.isConnected || !this.el.clientWidth || !this.situation) return;
    this.palette ??= readPalette(this.el);
    this.arrange();
    for (const drawn of this.drawn)
      this.charts.get(drawn.key)?.show(this.content(drawn, this.situation, this.palette));
  }

  /** One chart for each that is to be drawn, in that order. */
  private arrange(): void {
    const wanted = this.drawn.map(({ key }) => key);
    if (wanted.join('\n') === [...this.charts.keys()].join('\n')) return;
    const kept = new Map(this.charts);
    this.charts.clear();
    for (const key of wanted) this.charts.set(key, kept.get(key) ?? this.chart());
    for (const [key, chart] of kept) if (!this.charts.has(key)) chart.dispose();
    fill(this.el, ...[...this.charts.values()].map((chart) => chart.el));
  }

  private chart(): Chart {
    const events = {
      highlight: (node: number | null) => {
        if (node === this.highlight) return;
        this.highlight = node;
        this.draw();
      },
      zoom: (range: Range | null) => {
        this.zoom = range && this.within(range);
        this.draw();
      },
    };
    return new Chart(this.palette ?? readPalette(this.el), events, this.sync);
  }

  /** A zoom stays inside of what there is; all of it is no zoom. */
  private within([low, high]: Range): Range | null {
    const [first, last] = this.whole();
    const span = Math.max(high - low, 0.2);
    if (span >= last - first) return null;
    const start = Math.min(Math.max(low, first), last - span);
    return [start, start + span];
  }

  private whole(): Range {
    const { iterations = null, finished = false } = this.situation ?? {};
    const curves = this.drawn.map(curveOf);
    const last = Math.max(0, ...curves.map(({ x }) => (x.length ? x.at(x.length - 1) : 0)));
    const inside = this.drawn.some(
      ({ metric }) => metric && metric.curves.running.length > metric.curves.byIteration.length,
    );
    return iterationRange(last, iterations, inside, finished);
  }

  private content(drawn: Drawn, situation: Situation, palette: Palette): Parameters<Chart['show']>[0] {
    const { metric } = drawn;
    const curve = curveOf(drawn);
    const thin = thinLines(metric, situation.picked, palette);
    const pointed = this.highlight === null ? undefined : metric?.lines.get(this.highlight);
    const { at } = situation.moment;
    return {
      ...drawn,
      curve,
      names: situation.names,
      thin,
      picked: situation.picked.size > 0,
      choice: [...situation.picked, 'of', metric?.lines.size ?? 0].join(' '),
      highlight: pointed ? { line: pointed, colour: palette.warn } : null,
      range: this.zoom ?? this.whole(),
      zoomed: this.zoom !== null,
      cut: at === null ? null : curve.x.at(Math.max(0, curve.before(at + 1 - 1e-9))),
      message: message(curve),
    };
  }
}

function curveOf({ metric, band }: Drawn): Curve {
  return band?.curve ?? metric?.curves.running ?? EMPTY;
}

/** All nodes in one quiet colour; picked ones each in their own. A line of its own that is also the mean is left out. */
function thinLines(metric: MetricLines | null, picked: ReadonlySet<number>, palette: Palette): ThinLine[] {
  if (!metric) return [];
  const chosen = [...picked].flatMap((node, order) => {
    const line = metric.lines.get(node);
    return line ? [{ line, colour: pickedColour(palette, order) }] : [];
  });
  if (picked.size) return chosen;
  if (metric.lines.size === 1) return [];
  return Array.from(metric.lines.values(), (line) => ({ line, colour: palette.dim }));
}

/** Why there is no plot; "" where there is one. */
function message(curve: Curve): string {
  if (!curve.length) return 'No value recorded yet.';
  const means = curve.mean.view();
  if (means.some((value) => Number.isFinite(value))) return '';
  const what = means.every((value) => Number.isNaN(value)) ? 'NaN: not a number' : 'infinite or NaN';
  return curve.length > 1 ? `Every value so far is ${what}.` : `The only value so far is ${what}.`;
}
