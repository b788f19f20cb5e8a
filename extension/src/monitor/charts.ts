/** The metrics of a run as charts, with a choice of metrics and of nodes, and the same as a table. */
import { ChartGrid } from './chartgrid';
import type { Drawn } from './chartgrid';
import { fill, h, setAttribute, setText, show } from './dom';
import { number } from './format';
import { Legend } from './legend';
import { MetricTable } from './metrictable';
import type { Moment, Panel } from './panel';
import { NodePicker } from './picker';
import type { Section, State } from './store';

/** As many metrics as are shown before anybody chooses. */
const FIRST = 6;

const NOTHING_YET = 'No metric yet: what a task records shows here while it runs.';
const NOTHING = 'No task of this run recorded a metric.';

class ChartsPanel implements Panel {
  readonly el: HTMLElement;
  private readonly chips = h('div', { class: 'mm-chips', role: 'group', 'aria-label': 'Metrics' });
  private readonly legend = new Legend();
  private readonly tools = h('div', { class: 'mm-tools' });
  private readonly empty = h('p', { class: 'mm-empty' }, NOTHING_YET);
  private readonly grid = new ChartGrid();
  private readonly table = new MetricTable();
  private readonly picker = new NodePicker((picked) => this.pick(picked));
  private readonly asTable = h(
    'button',
    { class: 'mm-chip', type: 'button', 'aria-pressed': 'false' },
    'Table',
  );
  private readonly off = new Set<number>();
  private picked: ReadonlySet<number> = new Set();
  private known = 0;
  private state: State | null = null;
  private moment: Moment = { at: null };

  constructor() {
    this.asTable.addEventListener('click', () => {
      setAttribute(
        this.asTable,
        'aria-pressed',
        String(this.asTable.getAttribute('aria-pressed') !== 'true'),
      );
      this.draw();
    });
    for (const element of [this.tools, this.legend.el, this.table.el]) show(element, false);
    this.tools.append(this.chips, h('div', { class: 'mm-tools-end' }, this.picker.el, this.asTable));
    this.el = h(
      'section',
      { class: 'mm-metrics', 'aria-label': 'Metrics' },
      this.tools,
      this.legend.el,
      this.empty,
      this.grid.el,
      this.table.el,
    );
  }

  update(state: State, changed: ReadonlySet<Section>, moment: Moment): void {
    const moved = moment.at !== this.moment.at;
    this.state = state;
    this.moment = moment;
    if (changed.has('names')) this.fillChips(state);
    if (changed.has('names')) this.picker.update(state.nodeNames);
    show(this.picker.el, !state.run?.many && state.nodeNames.length > 1);
    const concerned = ['names', 'points', 'bands', 'extremes', 'run'] as const;
    if (moved || concerned.some((section) => changed.has(section))) this.draw();
  }

  repaint(): void {
    this.grid.repaint();
    this.draw();
  }

  dispose(): void {
    this.grid.dispose();
  }

  private pick(picked: ReadonlySet<number>): void {
    this.picked = new Set(picked);
    this.draw();
  }

  private fillChips(state: State): void {
    const shown = order(state);
    for (; this.known < state.metrics.length; this.known += 1)
      if (shown.indexOf(this.known) >= FIRST) this.off.add(this.known);
    const chips = shown.map((metric) => this.chip(state.metrics[metric]?.label ?? '', metric));
    fill(this.chips, ...(chips.length > 1 ? chips : []));
  }

  private chip(label: string, metric: number): HTMLElement {
    const on = !this.off.has(metric);
    const chip = h(
      'button',
      { class: 'mm-chip', type: 'button', 'aria-pressed': String(on), title: label },
      label,
    );
    chip.addEventListener('click', () => {
      if (this.off.has(metric)) this.off.delete(metric);
      else this.off.add(metric);
      setAttribute(chip, 'aria-pressed', String(!this.off.has(metric)));
      this.draw();
    });
    return chip;
  }

  private draw(): void {
    const { state } = this;
    if (!state) return;
    const drawn = order(state).flatMap((metric) =>
      this.off.has(metric) ? [] : [drawing(state, state.metrics[metric]?.label ?? '', metric)],
    );
    const table = this.asTable.getAttribute('aria-pressed') === 'true';
    show(this.empty, state.metrics.length === 0);
    setText(this.empty, state.run?.finished ? NOTHING : NOTHING_YET);
    show(this.tools, state.metrics.length > 0);
    show(this.legend.el, drawn.length > 0 && !table);
    this.legend.update(
      nodesOf(drawn, state.run?.many ?? false),
      [...this.picked].map((node) => state.nodeNames[node] ?? ''),
    );
    show(this.grid.el, !table);
    show(this.table.el, table && drawn.length > 0);
    if (table) this.table.update(drawn, this.moment);
    else this.grid.update(drawn, situation(state, this.moment, this.picked));
  }
}

/** The metrics as they stand on the screen: in the order of their arrival, what things took last. */
function order(state: State): number[] {
  const took = (metric: number): boolean => state.metrics[metric]?.label.endsWith('_seconds') ?? false;
  return [...state.metrics.keys()].sort((a, b) => Number(took(a)) - Number(took(b)));
}

function situation(
  state: State,
  moment: Moment,
  picked: ReadonlySet<number>,
): Parameters<ChartGrid['update']>[1] {
  const { run, nodeNames } = state;
  return {
    names: nodeNames,
    iterations: run?.iterations ?? null,
    finished: run?.finished ?? false,
    moment,
    picked,
  };
}

/** How the nodes are drawn: a line each, where eight of ten of them are, or nothing but the lowest and the highest. */
function nodesOf(drawn: readonly Drawn[], many: boolean): 'lines' | 'core' | 'none' {
  const bands = drawn.flatMap(({ band }) => band ?? []);
  if (bands.length < drawn.length || !bands.length) return many ? 'core' : 'lines';
  return bands.some(({ p10 }) => p10.view().some((value) => !Number.isNaN(value))) ? 'core' : 'none';
}

function drawing(state: State, label: string, metric: number): Drawn {
  const many = state.run?.many ?? false;
  const lines = many ? undefined : state.lines.metrics.get(metric);
  return {
    key: `${metric}`,
    label,
    metric: lines ?? null,
    band: lines ? null : (state.bands.metrics.get(metric) ?? null),
    notes: many ? extremes(state, metric) : [],
  };
}

/** The lowest and the highest nodes, in a line each. */
function extremes(state: State, metric: number): string[] {
  const rows = [...(state.extremes.get(metric) ?? [])].sort(([, a], [, b]) => a - b);
  if (!rows.length) return [];
  const half = Math.ceil(rows.length / 2);
  const said = (part: typeof rows): string =>
    part.map(([node, value]) => `${node} ${number(value, 3)}`).join(', ');
  return [
    `Lowest: ${said(rows.slice(0, Math.min(3, half)))}`,
    `Highest: ${said(rows.slice(half).reverse().slice(0, 3))}`,
  ];
}

export function chartsPanel(): ChartsPanel {
  return new ChartsPanel();
}
