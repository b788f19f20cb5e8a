/** What the lines of the charts mean. */
import { fill, h } from './dom';
import type { Attributes } from './dom';
import { pickedColour, readPalette } from './palette';

export class Legend {
  readonly el = h('div', { class: 'mm-legend' });
  private said = '';

  /** `picked` are the names of the nodes that were picked; none means all. `nodes` is how they are drawn. */
  update(nodes: 'lines' | 'core' | 'none', picked: readonly string[]): void {
    const mode = this.el.closest<HTMLElement>('[data-mode]')?.dataset.mode ?? '';
    const said = JSON.stringify([nodes, picked, mode]);
    if (said === this.said || !this.el.isConnected) return;
    this.said = said;
    const palette = readPalette(this.el);
    const lines = picked.map((name, order) =>
      entry(name, { style: { background: pickedColour(palette, order) } }),
    );
    const others = {
      lines: [entry('each node', { 'data-kind': 'node' })],
      core: [entry('8 of 10 nodes', { 'data-kind': 'core' })],
      none: [],
    };
    fill(
      this.el,
      entry('mean of all nodes', { 'data-kind': 'mean' }),
      ...(picked.length ? lines : others[nodes]),
      entry('lowest to highest', { 'data-kind': 'spread' }),
    );
  }
}

function entry(text: string, mark: Attributes): HTMLElement {
  return h('span', { class: 'mm-legend-entry' }, h('i', { ...mark, 'aria-hidden': 'true' }), text);
}
