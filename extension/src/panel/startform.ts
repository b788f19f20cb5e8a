/** How many nodes, and with which data: fields, and the line that they make. */
import { h, setAttribute, setText, show, uniqueId } from '../monitor/dom';
import { type StartOptions, startLine, writable } from '../notebooks/startline';

const DATASETS = ['digits', 'breast_cancer', 'wine', 'diabetes'];
const PARTITIONS: [string, string][] = [
  ['iid', 'alike on all nodes (iid)'],
  ['dirichlet', 'unlike, by alpha (dirichlet)'],
  ['shards', 'a few labels a node (shards)'],
];

export class StartForm {
  readonly el: HTMLElement;
  private readonly nodes = field('number', { min: 1, step: 1, required: true });
  private readonly data: HTMLInputElement;
  private readonly partition: HTMLSelectElement;
  private readonly alpha = field('number', { min: 0, step: 'any' });
  private readonly alphaRow: HTMLElement;
  private readonly partitionRow: HTMLElement;
  private readonly line = h('code', { class: 'ms-start-line' });
  private readonly wrong = h('p', { class: 'ms-start-wrong', role: 'alert' });

  constructor(options: StartOptions) {
    const names = h('datalist', { id: uniqueId('data') }, ...DATASETS.map((value) => h('option', { value })));
    this.data = field('text', { list: names.id, placeholder: 'no data', spellcheck: 'false' });
    this.partition = h(
      'select',
      { class: 'jp-mod-styled' },
      ...PARTITIONS.map(([value, text]) => h('option', { value }, text)),
    );
    this.nodes.value = String(options.nodes);
    this.data.value = options.data;
    this.partition.value = options.partition;
    this.alpha.value = String(options.alpha);
    this.alphaRow = row('Alpha', this.alpha, 'The smaller, the less alike the nodes');
    this.partitionRow = row('Shared out', this.partition);
    this.el = h(
      'div',
      { class: 'ms-start', on: { input: () => this.draw() } },
      row('Nodes', this.nodes),
      row('Data', this.data, 'A dataset, a .npz, .csv or .pt file, or a folder of folders: a node each'),
      names,
      this.partitionRow,
      this.alphaRow,
      this.line,
      this.wrong,
    );
    this.draw();
  }

  /** What was chosen; null while it cannot be. */
  get value(): StartOptions | null {
    return this.mistake ? null : this.options;
  }

  /** What stands in the fields, right or wrong. */
  get options(): StartOptions {
    return {
      nodes: Number(this.nodes.value),
      data: this.data.value.trim(),
      partition: this.partition.value,
      alpha: Number(this.alpha.value),
    };
  }

  private get mistake(): string {
    const { nodes, data, partition, alpha } = this.options;
    if (!Number.isInteger(nodes) || nodes < 1) return 'Nodes must be a whole number from 1.';
    if (!writable(data)) return 'The name of the data may hold no $, { or }.';
    if (data && partition === 'dirichlet' && !(Number.isFinite(alpha) && alpha > 0))
      return 'Alpha must be a number above 0.';
    return '';
  }

  private draw(): void {
    const { options, mistake } = this;
    show(this.partitionRow, options.data !== '');
    show(this.alphaRow, options.data !== '' && options.partition === 'dirichlet');
    show(this.line, mistake === '');
    setText(this.line, mistake ? '' : startLine(options));
    setText(this.wrong, mistake);
    show(this.wrong, mistake !== '');
  }
}

function field(type: string, attributes: Record<string, string | number | boolean>): HTMLInputElement {
  return h('input', { type, class: 'jp-mod-styled', autocomplete: 'off', ...attributes });
}

function row(name: string, control: HTMLElement, help = ''): HTMLElement {
  const id = uniqueId('help');
  if (help) setAttribute(control, 'aria-describedby', id);
  return h(
    'label',
    { class: 'ms-start-row' },
    h('span', {}, name),
    control,
    help ? h('small', { id }, help) : null,
  );
}
