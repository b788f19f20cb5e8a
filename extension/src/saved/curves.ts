/** The metrics of a saved run as the monitor's own curves. */
import { Band } from '../monitor/bands';
import type { BandStore } from '../monitor/bands';
import { Curve } from '../monitor/curve';
import { LineStore } from '../monitor/lines';
import type { MetricLines } from '../monitor/lines';
import type { Metric } from '../monitor/protocol';
import { MOST_COUNTED, fields, list, numbers, text, whole } from './checks';
import type { Fields } from './checks';

const MOST_METRICS = 60;
const MOST_LINES = 64;
/** Points of all lines together; what a notebook keeps of a run has a tenth of it. */
const MOST_POINTS = 300_000;

/** What the metrics of a run are put into. */
export interface Plotted {
  readonly metrics: Metric[];
  readonly lines: LineStore;
  readonly bands: BandStore;
  readonly nodeNames: string[];
}

/** One node's line: ascending x, and a value for each. */
interface Points {
  readonly node: number;
  readonly grid: number;
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** Read all metrics; returns how many of them could not be read. `nodes` is how many nodes took part. */
export function addMetrics(value: unknown, into: Plotted, nodes: number | null): number {
  let unread = value === undefined || Array.isArray(value) ? 0 : 1;
  for (const each of list(value, MOST_METRICS)) {
    const told = fields(each);
    const points = [...into.lines.metrics.values()].reduce((sum, metric) => sum + metric.points, 0);
    if (!told || points > MOST_POINTS || !addMetric(told, into, nodes)) unread += 1;
  }
  return unread;
}

function addMetric(told: Fields, into: Plotted, nodes: number | null): boolean {
  const name = text(told.name);
  const lines = pointsOf(told, into.nodeNames);
  const curve = curveOf(told.band, lines.length ? null : nodes);
  if (!name || (!curve?.length && !lines.length)) return false;
  const metric = into.metrics.length;
  into.metrics.push({ name, label: name, lower: told.lower === true });
  if (!lines.length) into.bands.metrics.set(metric, bandOf(curve ?? new Curve()));
  else into.lines.metrics.set(metric, settled(lines, curve));
  return true;
}

/** Mean, lowest and highest of an iteration, as the run knew them; null where that is not told. */
function curveOf(value: unknown, nodes: number | null): Curve | null {
  const told = fields(value);
  if (!told) return null;
  const [x, mean, low, high, n] = ['x', 'mean', 'low', 'high', 'n'].map((name) => numbers(told[name]));
  const curve = new Curve();
  for (const [at, place] of ascending(x ?? [])) {
    const count = n?.length === 1 ? n[0] : n?.[at];
    curve.add(place, mean?.[at] ?? NaN, low?.[at] ?? NaN, high?.[at] ?? NaN, count ?? nodes ?? NaN);
  }
  return curve;
}

function bandOf(curve: Curve): Band {
  const band = new Band();
  for (let at = 0; at < curve.length; at += 1) {
    const value = [curve.mean, curve.low, curve.high].map((column) => column.at(at));
    band.set(curve.x.at(at), curve.n.at(at), [value[0] ?? NaN, value[1] ?? NaN, value[2] ?? NaN, NaN, NaN]);
  }
  return band;
}

/** The places of an x axis that go on from the one before, with their indices. */
function ascending(xs: readonly number[]): [number, number][] {
  let last = -1;
  return [...xs.entries()].filter(([, x]) => {
    const on = x > last && x >= 0 && x <= MOST_COUNTED;
    if (on) last = x;
    return on;
  });
}

function pointsOf(told: Fields, names: string[]): Points[] {
  const grids = list(told.grids, MOST_LINES).map((grid) => ascending(numbers(grid)));
  const taken = new Set<number>();
  return list(told.lines, MOST_LINES).flatMap((each) => {
    const line = fields(each);
    const grid = whole(line?.grid, MOST_LINES);
    const places = grid === null ? [] : (grids[grid] ?? []);
    const y = numbers(line?.y);
    const known = places.filter(([at]) => at < y.length);
    if (!line || grid === null || !known.length) return [];
    const node = indexOf(text(line.node, 100) || 'node', names, taken);
    return [{ node, grid, x: known.map(([, x]) => x), y: known.map(([at]) => y[at] ?? NaN) }];
  });
}

/** The index of a node; a second one of that name is another one, whose name was cut. */
function indexOf(name: string, names: string[], taken: Set<number>): number {
  let index = names.findIndex((each, at) => each === name && !taken.has(at));
  if (index < 0) index = names.push(name) - 1;
  taken.add(index);
  return index;
}

/** The lines of a metric, at the places that the file gives them, and what they amount to. */
function settled(points: readonly Points[], told: Curve | null): MetricLines {
  const store = new LineStore();
  const rows = points.reduce((sum, { x }) => sum + x.length, 0);
  const keys = new Int32Array(3 * rows);
  const values = new Float64Array(2 * rows);
  let row = 0;
  for (const { node, x, y } of points) {
    x.forEach((place, at) => {
      keys.set([0, node, Math.floor(place + 1e-9)], 3 * row);
      values.set([NaN, y[at] ?? NaN], 2 * row);
      row += 1;
    });
  }
  store.append(keys, values);
  store.settle(Infinity);
  const metric = store.metrics.get(0);
  if (!metric) throw new Error('a line without a point');
  place(metric, points);
  if (told?.length) take(metric, told);
  return metric;
}

/** Where points were left out, their rank no longer says where they stand. */
function place(metric: MetricLines, points: readonly Points[]): void {
  for (const { node, x } of points) {
    const line = metric.line(node);
    x.forEach((each, at) => {
      line.x.set(at, each);
    });
  }
  const [first] = points;
  const { running } = metric.curves;
  const alike = points.every(({ grid, x }) => grid === first?.grid && x.length === first.x.length);
  if (!first || !alike || running.length !== first.x.length) return;
  first.x.forEach((each, at) => {
    running.x.set(at, each);
  });
}

/** The run's own numbers of each iteration, of all values and not only of those that the notebook keeps. */
function take({ curves, lines }: MetricLines, told: Curve): void {
  const own = curves.byIteration;
  const inside = curves.running.length > own.length;
  const exact = new Curve();
  for (let at = 0; at < told.length; at += 1) {
    const x = told.x.at(at);
    const before = own.before(x);
    const n = told.n.at(at);
    const counted = own.x.at(before) === x ? own.n.at(before) : lines.size;
    exact.add(x, told.mean.at(at), told.low.at(at), told.high.at(at), Number.isNaN(n) ? counted : n);
  }
  replace(own, exact);
  if (!inside) replace(curves.running, exact);
}

function replace(curve: Curve, by: Curve): void {
  curve.drop(-Infinity);
  for (let at = 0; at < by.length; at += 1)
    curve.add(by.x.at(at), by.mean.at(at), by.low.at(at), by.high.at(at), by.n.at(at));
}
