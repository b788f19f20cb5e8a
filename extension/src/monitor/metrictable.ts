/** The charts in numbers: for each metric the values of one iteration, for readers who do not see curves. */
import type { Drawn } from './chartgrid';
import { fill, h } from './dom';
import { integer, number } from './format';
import type { Moment } from './panel';

const COLUMNS = ['metric', 'iteration', 'mean', 'lowest', 'highest', 'nodes'];

export class MetricTable {
  readonly el: HTMLElement;
  private readonly body = h('tbody');

  constructor() {
    const head = COLUMNS.map((column, index) =>
      h('th', { scope: 'col', class: index ? 'mm-number' : null }, column),
    );
    this.el = h(
      'div',
      { class: 'mm-table-frame', tabindex: 0, role: 'region', 'aria-label': 'Metrics as a table' },
      h('table', { class: 'mm-table' }, h('thead', {}, h('tr', {}, ...head)), this.body),
    );
  }

  update(drawn: readonly Drawn[], { at }: Moment): void {
    fill(this.body, ...drawn.map((one) => row(one, at)));
  }
}

function row({ label, metric, band }: Drawn, at: number | null): HTMLElement {
  const curve = band?.curve ?? metric?.curves.byIteration;
  const index = curve ? (at === null ? curve.length - 1 : curve.before(at)) : -1;
  const cells =
    curve && index >= 0
      ? [
          integer(curve.x.at(index)),
          ...[curve.mean, curve.low, curve.high].map((column) => number(column.at(index))),
          integer(curve.n.at(index)),
        ]
      : COLUMNS.slice(1).map(() => '–');
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, label),
    ...cells.map((cell) => h('td', { class: 'mm-number' }, cell)),
  );
}
