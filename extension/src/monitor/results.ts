/** The Results of the run: for each tag which nodes gave one in which iteration. */
import { fill, h, setText, show } from './dom';
import { bytes, count } from './format';
import { HeatGrid } from './heatgrid';
import { type Matrix, type MatrixRow, matrixOf } from './matrix';
import type { Kernel, MakePanel, Moment, Panel } from './panel';
import type { Section, State } from './store';
import { ValueView } from './value';

class ResultsPanel implements Panel {
  readonly el: HTMLElement;
  private readonly tags = h('select', { class: 'mp-input', 'aria-label': 'Tag' });
  private readonly node = h('input', {
    type: 'search',
    class: 'mp-input',
    'aria-label': 'Node whose value is shown',
    placeholder: 'node to open',
  });
  private readonly said = h('span', { class: 'mp-count' });
  private readonly looked = h('p', { class: 'mp-faint mp-looked', role: 'status' });
  private readonly empty = h(
    'p',
    { class: 'mp-empty' },
    'No Results yet: they appear when an iteration is committed.',
  );
  private readonly content = h('div', { class: 'mp-content', hidden: true });
  private readonly grid: HeatGrid;
  private readonly value: ValueView;
  private readonly resized: ResizeObserver;
  private state: State | null = null;
  private at: number | null = null;
  private width = 0;

  constructor(kernel: Kernel) {
    this.value = new ValueView(kernel);
    this.grid = new HeatGrid({
      name: (row) => this.nameOf(row),
      said: (row, iteration) => this.sentence(row, iteration),
      look: (text) => {
        setText(this.looked, text);
      },
      open: (row, iteration) => {
        this.open(row, iteration);
      },
    });
    this.tags.addEventListener('input', () => {
      this.value.close();
      this.draw();
    });
    const bar = h('div', { class: 'mp-bar' }, this.tags, this.node, this.said);
    const legend = h(
      'p',
      { class: 'mp-faint' },
      'A filled square: there is a Result; the darker, the larger. Enter or a click shows it.',
    );
    this.content.append(bar, this.grid.el, this.looked, legend);
    this.el = h('section', { class: 'mp', 'aria-label': 'Results' }, this.content, this.empty, this.value.el);
    this.resized = new ResizeObserver(() => {
      const width = Math.floor(this.el.clientWidth);
      if (!width || width === this.width) return;
      this.width = width;
      this.draw();
    });
    this.resized.observe(this.el);
  }

  update(state: State, changed: ReadonlySet<Section>, { at }: Moment): void {
    this.state = state;
    if (!changed.has('results') && !changed.has('names') && at === this.at) return;
    this.at = at;
    this.offer([...new Set(state.results.map(({ tag }) => tag))]);
    this.draw();
  }

  dispose(): void {
    this.resized.disconnect();
    this.grid.dispose();
  }

  private offer(tags: readonly string[]): void {
    show(this.empty, !tags.length);
    show(this.content, tags.length > 0);
    const now = [...this.tags.options].map(({ value }) => value);
    if (now.length === tags.length && now.every((tag, at) => tag === tags[at])) return;
    const chosen = this.tags.value;
    fill(this.tags, ...tags.map((tag) => h('option', { value: tag }, tag)));
    if (tags.includes(chosen)) this.tags.value = chosen;
  }

  private draw(): void {
    const { state, width } = this;
    if (!state || !width || this.content.hidden) return;
    const matrix = matrixOf(state.results, this.tags.value, this.at, HeatGrid.columns(width));
    show(
      this.node,
      matrix.rows.some(({ node }) => node === null),
    );
    setText(this.said, summary(matrix));
    this.grid.put(matrix, this.at, width);
  }

  private nameOf({ node }: MatrixRow): string {
    return node === null ? 'all nodes' : (this.state?.nodeNames[node] ?? `node ${node}`);
  }

  private sentence(row: MatrixRow, iteration: number): string {
    const cell = row.cells.get(iteration);
    const what = cell ? `${cell.type}, ${bytes(cell.each)}` : 'nothing';
    const who = row.node === null ? count(cell?.nodes ?? 0, 'node') : this.nameOf(row);
    return `${who}, iteration ${iteration}: ${what}`;
  }

  private open(row: MatrixRow, iteration: number): void {
    const node = row.node === null ? this.node.value.trim() || this.state?.nodeNames[0] : this.nameOf(row);
    const wanted = { kind: 'result' as const, tag: this.tags.value, iteration };
    this.value.open(node === undefined ? wanted : { ...wanted, node }, this.grid);
  }
}

/** `8 nodes, iterations 40 to 99` */
function summary({ rows, iterations }: Matrix): string {
  const [first, last] = [iterations[0], iterations.at(-1)];
  if (first === undefined || last === undefined) return '';
  const nodes = rows.some(({ node }) => node === null) ? '' : `${count(rows.length, 'node')}, `;
  return `${nodes}iterations ${first} to ${last}`;
}

export const resultsPanel: MakePanel = (kernel) => new ResultsPanel(kernel);
