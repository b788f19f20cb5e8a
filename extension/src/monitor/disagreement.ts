/** How far the nodes pull apart: norm of each node's update, and its direction against the mean, per iteration. */
import { ChartGrid } from './chartgrid';
import type { Drawn } from './chartgrid';
import { fill, h, show } from './dom';
import { Legend } from './legend';
import { LineStore } from './lines';
import type { Moment, Panel } from './panel';
import type { Section, State } from './store';

const EXPLANATION =
  'Norm: how large each node’s update is; cosine: how far it points the same way as the mean of all nodes ' +
  '(1 the same way, 0 unrelated, below 0 against it).';

class DisagreementPanel implements Panel {
  readonly el: HTMLElement;
  private readonly grid = new ChartGrid();
  private readonly legend = new Legend();
  private readonly empty = h(
    'p',
    { class: 'mm-empty' },
    'Nothing to compare yet: it needs array results of at least two nodes.',
  );
  private readonly notes = h('div', { class: 'mm-notes' });
  private lines = new LineStore();
  private readonly tags: string[] = [];
  private source: State['disagreement'] | null = null;
  private taken = 0;

  constructor() {
    this.el = h(
      'section',
      { class: 'mm-disagreement', 'aria-label': 'Disagreement' },
      h('p', { class: 'mm-explanation' }, EXPLANATION),
      this.empty,
      this.notes,
      this.legend.el,
      this.grid.el,
    );
  }

  update(state: State, _: ReadonlySet<Section>, moment: Moment): void {
    this.take(state);
    const drawn = this.tags.flatMap((tag, index) => [
      this.drawn(`${tag}: norm of the update`, 2 * index),
      this.drawn(`${tag}: cosine to the mean`, 2 * index + 1),
    ]);
    show(this.empty, drawn.length === 0);
    show(this.legend.el, drawn.length > 0);
    this.legend.update('lines', []);
    this.grid.update(drawn, {
      names: state.nodeNames,
      iterations: state.run?.iterations ?? null,
      finished: state.run?.finished ?? false,
      moment,
      picked: new Set(),
    });
  }

  repaint(): void {
    this.grid.repaint();
  }

  dispose(): void {
    this.grid.dispose();
  }

  /** Add the rows that are new; a full message brings a new list. */
  private take(state: State): void {
    if (state.disagreement !== this.source) {
      this.source = state.disagreement;
      this.lines = new LineStore();
      this.tags.length = 0;
      this.taken = 0;
    }
    for (; this.taken < this.source.length; this.taken += 1) {
      const row = this.source[this.taken];
      if (row) this.add(row);
    }
    // the newest iteration stays open: rows of other tags may follow
    this.lines.settle(this.source.at(-1)?.iteration ?? 0);
    const notes = new Map(this.source.flatMap(({ tag, note }) => (note ? [[tag, note] as const] : [])));
    fill(this.notes, ...[...notes].map(([tag, note]) => h('p', { class: 'mm-note' }, `${tag}: ${note}`)));
  }

  private add({ tag, iteration, node, norm, cosine }: State['disagreement'][number]): void {
    if (!this.tags.includes(tag)) this.tags.push(tag);
    const metric = 2 * this.tags.indexOf(tag);
    const keys: number[] = [];
    const values: number[] = [];
    node.forEach((index, row) => {
      keys.push(metric, index, iteration, metric + 1, index, iteration);
      values.push(NaN, norm[row] ?? NaN, NaN, cosine[row] ?? NaN);
    });
    this.lines.append(Int32Array.from(keys), Float64Array.from(values));
  }

  private drawn(label: string, metric: number): Drawn {
    return { key: label, label, metric: this.lines.metrics.get(metric) ?? null, band: null, notes: [] };
  }
}

export function disagreementPanel(): DisagreementPanel {
  return new DisagreementPanel();
}
