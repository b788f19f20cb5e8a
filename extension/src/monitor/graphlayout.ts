/**
 * Where the task graph is drawn: from left to right where there is room, else from top to bottom.
 *
 * Places are reckoned along the flow (`main`) and across it (`cross`); only `Plane` knows which of them is x.
 */
import { type Label, Plane, type Rect, type Spot } from './plane';
import type { Bend, Graph, GraphTask } from './protocol';

export interface Arrow {
  readonly path: string;
  /** corners of the arrow's head */
  readonly head: string;
}

export interface Edge extends Arrow {
  readonly from: string;
  readonly to: string;
}

export interface Drawing {
  readonly vertical: boolean;
  readonly width: number;
  readonly height: number;
  readonly boxes: ReadonlyMap<string, Rect>;
  readonly edges: readonly Edge[];
  readonly loop: { readonly path: string; readonly heads: readonly string[]; readonly label: Label };
  /** the pill "end" and what leads to it, where a task of the last layer may stop the run */
  readonly end: { readonly pill: Rect; readonly arrows: readonly Arrow[]; readonly label: Label } | null;
}

interface Sizes {
  readonly vertical: boolean;
  /** of a box, along and across the flow */
  readonly long: number;
  readonly broad: number;
  readonly gap: number;
  readonly between: number;
  readonly margin: number;
}

export const BOX_HEIGHT = 78;
const NARROW = 560;
const WIDEST = 230;
const SLIMMEST = 158;
const PILL = { width: 40, height: 22 };

/** What fits: the flow from left to right if every box keeps a readable width. */
export function sizesFor(graph: Graph, width: number): Sizes {
  const several = graph.tasks.filter(({ layer }) => layer === 0).length > 1;
  const margin = 6 + 24 * Number(several);
  const ends = graph.tasks.some(({ layer, may_stop }) => may_stop && layer === graph.layers - 1);
  const room = width - margin - 8 - 110 * Number(ends) - 40 * (graph.layers - 1);
  const long = Math.min(WIDEST, room / Math.max(1, graph.layers));
  if (width >= NARROW && long >= SLIMMEST) {
    return { vertical: false, long, broad: BOX_HEIGHT, gap: 40, between: 20, margin };
  }
  const columns = Math.max(1, (graph.height + 1) / 2);
  const side = several ? 26 : 8;
  const broad = Math.max(96, Math.min(340, (width - side - 42 - 12 * (columns - 1)) / columns));
  return { vertical: true, long: BOX_HEIGHT, broad, gap: 30, between: 12, margin: side };
}

export function drawingOf(graph: Graph, width: number): Drawing {
  const sizes = sizesFor(graph, width);
  const plane = new Plane(sizes.vertical);
  const spots = new Map(graph.tasks.map((task) => [task.alias, spotOf(task, sizes)]));
  const all = [...spots.values()];
  const lane = Math.max(0, ...all.map(({ high }) => high)) + 18;
  const last = Math.max(0, ...all.map(({ stop }) => stop));
  const end = endOf(graph, spots, plane, last);
  const along = last + (end ? (sizes.vertical ? 60 : 112) : 8);
  const across = lane + (sizes.vertical ? 22 : 20);
  return {
    vertical: sizes.vertical,
    width: sizes.vertical ? across : along,
    height: sizes.vertical ? along : across,
    boxes: new Map([...spots].map(([alias, spot]) => [alias, plane.rect(spot)])),
    edges: graph.edges.flatMap((edge) => edgeOf(edge, graph.bends, spots, sizes, plane)),
    loop: loopOf(graph, spots, plane, lane),
    end,
  };
}

function spotOf(
  { layer, row }: GraphTask | Bend,
  { long, broad, gap, between, margin, vertical }: Sizes,
): Spot {
  const start = (vertical ? 18 : margin) + layer * (long + gap);
  const low = (vertical ? margin : 18) + (row / 2) * (broad + between);
  return { start, stop: start + long, low, high: low + broad };
}

function middle({ low, high }: Spot): number {
  return (low + high) / 2;
}

function edgeOf(
  [from, to]: readonly [string, string],
  bends: readonly Bend[],
  spots: ReadonlyMap<string, Spot>,
  sizes: Sizes,
  plane: Plane,
): Edge[] {
  const [source, target] = [spots.get(from), spots.get(to)];
  if (!source || !target) return [];
  const through = bends
    .filter((bend) => bend.source === from && bend.target === to)
    .sort((a, b) => a.layer - b.layer)
    .map((bend) => spotOf(bend, sizes));
  let [main, cross] = [source.stop, middle(source)];
  let path = `M${plane.point(main, cross)}`;
  for (const bend of through) {
    path += `${plane.curve(main, cross, bend.start, middle(bend))}L${plane.point(bend.stop, middle(bend))}`;
    [main, cross] = [bend.stop, middle(bend)];
  }
  path += plane.curve(main, cross, target.start - 6, middle(target));
  return [{ from, to, path, head: plane.head(target.start - 1, middle(target)) }];
}

/** From the outermost task of the last layer beside all others back to the first ones. */
function loopOf(graph: Graph, spots: ReadonlyMap<string, Spot>, plane: Plane, lane: number): Drawing['loop'] {
  const of = (layer: number): Spot[] =>
    graph.tasks
      .flatMap((task) => (task.layer === layer ? [spots.get(task.alias)] : []))
      .filter((spot) => spot !== undefined);
  const firsts = of(0).sort((a, b) => a.low - b.low);
  const [first, out] = [firsts[0], of(graph.layers - 1).sort((a, b) => b.high - a.high)[0]];
  if (!first || !out) return { path: '', heads: [], label: plane.label(0, 0, 'middle') };
  const shift = graph.layers === 1 ? Math.min(22, (out.stop - out.start) / 4) : 0;
  const from = (out.start + out.stop) / 2 + shift;
  const single = firsts.length === 1;
  const back = single ? (first.start + first.stop) / 2 - shift : first.start - 18;
  const lead: [number, number][] = [[from, out.high], [from, lane], [back, lane]]; // prettier-ignore
  const label = plane.label((from + back) / 2, lane + (graph.layers === 1 ? 14 : 14), 'middle', true);
  if (single) {
    const path = plane.rounded([...lead, [back, first.high + 7]]);
    return { path, heads: [plane.head(back, first.high + 1, true)], label };
  }
  const path = plane.rounded([...lead, [back, middle(first)], [first.start - 6, middle(first)]]);
  const stubs = firsts
    .slice(1)
    .map((spot) => `M${plane.point(back, middle(spot))}L${plane.point(spot.start - 6, middle(spot))}`);
  return {
    path: path + stubs.join(''),
    heads: firsts.map((spot) => plane.head(spot.start - 1, middle(spot))),
    label,
  };
}

function endOf(graph: Graph, spots: ReadonlyMap<string, Spot>, plane: Plane, last: number): Drawing['end'] {
  const stopping = graph.tasks.filter(({ may_stop, layer }) => may_stop && layer === graph.layers - 1);
  const from = stopping.flatMap(({ alias }) => spots.get(alias) ?? []);
  const [first] = from;
  if (!first) return null;
  const vertical = plane.rect({ start: 0, stop: 1, low: 0, high: 2 }).width === 2;
  const cross = from.reduce((sum, spot) => sum + middle(spot), 0) / from.length;
  const main = last + (vertical ? 32 : 66);
  const [long, broad] = vertical ? [PILL.height, PILL.width] : [PILL.width, PILL.height];
  const pill = plane.rect({
    start: main,
    stop: main + long,
    low: cross - broad / 2,
    high: cross + broad / 2,
  });
  const arrows = from.map((spot) => ({
    path: `M${plane.point(spot.stop, middle(spot))}${plane.curve(spot.stop, middle(spot), main - 6, cross)}`,
    head: plane.head(main - 1, cross),
  }));
  const several = from.length > 1;
  const label = vertical
    ? plane.label(several ? main + 15 : main - 13, cross + (several ? 27 : 8), 'start')
    : several
      ? plane.label(main + 20, cross - 17, 'middle')
      : plane.label(last + 33, cross - 7, 'middle');
  return { pill, arrows, label };
}
