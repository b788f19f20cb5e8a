/** The task graph, drawn; under it what the nodes printed last, above it why a run failed. */
import { fill, h, s, setAttribute, show } from './dom';
import { failureBox } from './failure';
import { TaskBox, sentence } from './graphbox';
import { type Arrow, type Drawing, drawingOf } from './graphlayout';
import { OutputBox } from './output';
import type { MakePanel, Panel } from './panel';
import type { Label } from './plane';
import type { Graph } from './protocol';
import type { Section, State } from './store';

class GraphPanel implements Panel {
  readonly el: HTMLElement;
  private readonly failure = failureBox();
  private readonly output = new OutputBox();
  private readonly canvas = h('div', { class: 'mp-graph' });
  private readonly empty = h('p', { class: 'mp-empty' }, 'The task graph appears when the run starts.');
  private readonly boxes = new Map<string, TaskBox>();
  private readonly edges = new Map<SVGElement, string>();
  private readonly resized: ResizeObserver;
  private drawing: SVGElement | null = null;
  private state: State | null = null;
  private width = 0;
  private idle = 'waiting';

  constructor() {
    this.el = h(
      'section',
      { class: 'mp', 'aria-label': 'Task graph' },
      this.failure.el,
      this.canvas,
      this.empty,
      this.output.el,
    );
    this.resized = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry?.contentRect.width ?? 0);
      if (width === 0 || width === this.width) return;
      this.width = width;
      this.draw();
    });
    this.resized.observe(this.el);
  }

  update(state: State, changed: ReadonlySet<Section>): void {
    this.state = state;
    if (changed.has('error')) this.failure.update(state.error);
    if (changed.has('output')) this.output.update(state);
    const idle = state.run?.finished || state.run?.status === 'interrupted' ? 'not running' : 'waiting';
    const over = idle !== this.idle;
    this.idle = idle;
    if (changed.has('graph')) this.draw();
    else if (changed.has('tasks') || over) this.fillIn();
  }

  dispose(): void {
    this.resized.disconnect();
  }

  private draw(): void {
    const graph = this.state?.graph;
    show(this.empty, !graph?.tasks.length && !this.state?.run?.finished);
    show(this.canvas, Boolean(graph?.tasks.length));
    if (!graph || !this.width) return;
    const drawing = drawingOf(graph, this.width);
    this.boxes.clear();
    this.edges.clear();
    for (const task of graph.tasks) {
      const rect = drawing.boxes.get(task.alias);
      if (rect) this.boxes.set(task.alias, new TaskBox(task, rect));
    }
    const size = { width: drawing.width, height: drawing.height };
    const box = `0 0 ${drawing.width.toFixed(0)} ${drawing.height.toFixed(0)}`;
    const style = {
      'max-width': `${size.width}px`,
      'min-width': `${Math.min(size.width, size.width * 0.8)}px`,
    };
    this.drawing = s(
      'svg',
      { class: 'mp-drawing', role: 'img', viewBox: box, style },
      ...this.flow(drawing),
      ...[...this.boxes.values()].map(({ el }) => el),
      ...early(graph, drawing),
    );
    fill(this.canvas, this.drawing);
    this.fillIn();
  }

  private flow(drawing: Drawing): SVGElement[] {
    const { loop, end } = drawing;
    const edges = drawing.edges.map((edge) => {
      const el = arrow(edge, 'mp-edge');
      this.edges.set(el, edge.to);
      return el;
    });
    const back = s('path', { class: 'mp-edge-line mp-loop', d: loop.path });
    const heads = loop.heads.map((points) => s('polygon', { class: 'mp-head', points }));
    return [...edges, back, ...heads, label(loop.label, 'next iteration'), ...(end ? ending(end) : [])];
  }

  private fillIn(): void {
    const { state, drawing } = this;
    if (!state?.graph || !drawing) return;
    const rows = new Map(state.tasks.map((row) => [row.alias, row]));
    for (const [alias, box] of this.boxes) box.update(rows.get(alias), this.idle);
    for (const [edge, to] of this.edges) {
      setAttribute(edge, 'class', rows.get(to)?.state === 'running' ? 'mp-edge mp-flowing' : 'mp-edge');
    }
    const tasks = state.graph.tasks.map((task) => sentence(task.label, rows.get(task.alias), this.idle));
    const stops = state.graph.tasks.filter(({ may_stop }) => may_stop).map((task) => task.label);
    const ends = stops.length ? ` ${stops.join(', ')} may stop the run.` : '';
    setAttribute(drawing, 'aria-label', `Task graph. ${tasks.join('; ')}; then the next iteration.${ends}`);
  }
}

function arrow({ path, head }: Arrow, kind: string): SVGElement {
  return s(
    'g',
    { class: kind },
    s('path', { class: 'mp-edge-line', d: path }),
    s('polygon', { class: 'mp-head', points: head }),
  );
}

function label({ x, y, anchor, turned }: Label, text: string): SVGElement {
  const transform = turned && `rotate(90 ${x.toFixed(1)} ${y.toFixed(1)})`;
  return s(
    'text',
    { class: 'mp-said', x: x.toFixed(1), y: y.toFixed(1), 'text-anchor': anchor, transform },
    text,
  );
}

function ending({ pill, arrows, label: place }: NonNullable<Drawing['end']>): SVGElement[] {
  const { x, y, width, height } = pill;
  return [
    ...arrows.map((way) => arrow(way, 'mp-edge mp-stopping')),
    s('rect', { class: 'mp-pill', x, y, width, height, rx: height / 2 }),
    s('text', { class: 'mp-said', x: x + width / 2, y: y + height / 2 + 4, 'text-anchor': 'middle' }, 'end'),
    label(place, 'may stop'),
  ];
}

/** A task before the last layer that may stop the run says so above its box: an arrow would cross others. */
function early(graph: Graph, drawing: Drawing): SVGElement[] {
  return graph.tasks.flatMap(({ alias, layer, may_stop }) => {
    const rect = drawing.boxes.get(alias);
    if (!may_stop || !rect || layer === graph.layers - 1) return [];
    const place: Label = { x: rect.x + rect.width - 6, y: rect.y - 5, anchor: 'end', turned: false };
    return [label(place, 'may stop ⇢ end')];
  });
}

export const graphPanel: MakePanel = () => new GraphPanel();
