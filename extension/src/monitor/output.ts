/** What each node printed last, folded away under the graph. */
import { fill, h, setText, show } from './dom';
import { count } from './format';
import type { State } from './store';

interface Block {
  readonly el: HTMLElement;
  readonly text: HTMLElement;
}

export class OutputBox {
  readonly el: HTMLDetailsElement;
  private readonly summary = h('summary', { class: 'mp-summary' });
  private readonly list = h('div', {
    class: 'mp-output',
    tabindex: 0,
    role: 'region',
    'aria-label': 'Last output of the nodes',
  });
  private readonly blocks = new Map<number, Block>();
  private state: State | null = null;

  constructor() {
    this.el = h('details', { class: 'mp-details', hidden: true }, this.summary, this.list);
    this.el.addEventListener('toggle', () => {
      this.draw();
    });
  }

  update(state: State): void {
    this.state = state;
    const nodes = [...state.output.values()].filter((lines) => lines.length).length;
    show(this.el, nodes > 0);
    setText(this.summary, `Output of ${count(nodes, 'node')} (the last 5 lines each)`);
    this.draw();
  }

  /** Only what is open is in the document. */
  private draw(): void {
    const { state, list } = this;
    if (!state || !this.el.open) return;
    const printed = [...state.output].filter(([, lines]) => lines.length).sort(([a], [b]) => a - b);
    for (const [node, lines] of printed) setText(this.block(state, node).text, lines.join('\n'));
    if (list.childElementCount === printed.length) return;
    fill(list, ...printed.map(([node]) => this.block(state, node).el));
  }

  private block(state: State, node: number): Block {
    const known = this.blocks.get(node);
    if (known) return known;
    const text = h('pre', { class: 'mp-pre' });
    const name = h('div', { class: 'mp-label' }, state.nodeNames[node] ?? `node ${node}`);
    const block = { el: h('div', { class: 'mp-printed' }, name, text), text };
    this.blocks.set(node, block);
    return block;
  }
}
