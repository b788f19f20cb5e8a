/** The panel beside the canvas: the modules to add, and all that can be done with the box that is selected. */
import { fill, h } from '../monitor/dom';
import type { Board } from './board';
import type { Box } from './draft';
import { connect, disconnect, label, removeBox } from './draft';
import { button, choiceField, textField } from './fields';

const METHODS = [
  { value: '', label: 'as the module says' },
  { value: 'all', label: 'every node it may use' },
  { value: 'any', label: 'one node, or at most …' },
];

export class Palette {
  readonly el: HTMLElement;
  readonly #board: Board;
  readonly #list = h('ul', { class: 'mb-modules' });
  readonly #add: (module: string) => void;
  #shown = '';

  constructor(board: Board, add: (module: string) => void) {
    this.#board = board;
    this.#add = add;
    const again = button(
      'Look again',
      () => {
        board.ask('refresh');
      },
      {},
    );
    this.el = h('section', { class: 'mb-palette' }, h('h3', {}, 'Modules'), this.#list, again);
  }

  update(): void {
    const { modules } = this.#board;
    const shown = JSON.stringify(modules);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const none = h('li', { class: 'mb-faint' }, 'none yet: write a cell that begins with %%module');
    const items = modules.map(({ name, placement }) =>
      h(
        'li',
        {},
        button(
          `+ ${name}`,
          () => {
            this.#add(name);
          },
          { class: 'mb-add', label: `+ ${name}, ${placement}` },
        ),
        h('span', { class: 'mb-faint' }, placement),
      ),
    );
    fill(this.#list, ...(items.length ? items : [none]));
  }
}

export class Inspector {
  readonly el = h('section', { class: 'mb-inspector', 'aria-label': 'Selected task' });
  readonly #board: Board;
  readonly #focus: (key: string) => void;
  #shown = '';

  constructor(board: Board, focus: (key: string) => void) {
    this.#board = board;
    this.#focus = focus;
  }

  update(): void {
    const { draft, selected, nodes } = this.#board;
    const box = draft.boxes.find((each) => each.key === selected);
    const keys = draft.boxes.map((each) => [each.key, each.module]);
    const shown = JSON.stringify([box?.key, keys, draft.arrows, nodes.length]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    if (box) fill(this.el, ...this.#parts(box));
    else
      fill(
        this.el,
        h('h3', {}, 'Task'),
        h('p', { class: 'mb-faint' }, 'Select a box: its arrows and nodes are here.'),
      );
  }

  #parts(box: Box): HTMLElement[] {
    const name = label(this.#board.draft, box.key);
    return [
      h('h3', {}, name),
      this.#connector(box),
      this.#arrows(box),
      ...this.#placement(box.key, box),
      button(
        'Remove',
        () => {
          this.#remove(box.key);
        },
        { class: 'mb-danger', label: `Remove ${name}` },
      ),
    ];
  }

  #remove(key: string): void {
    this.#board.change((draft) => {
      removeBox(draft, key);
    });
    this.#board.select(null);
  }

  #connector(box: Box): HTMLElement {
    const { draft } = this.#board;
    const others = draft.boxes.filter((each) => each.key !== box.key);
    const choices = others.map((each) => ({ value: each.key, label: label(draft, each.key) }));
    const changed = (to: string) => {
      if (!to) return;
      this.#board.change((now) => connect(now, box.key, to));
      this.#focus(box.key);
    };
    return choiceField({ label: 'Connect to', changed }, [{ value: '', label: 'choose …' }, ...choices], true)
      .el;
  }

  #arrows(box: Box): HTMLElement {
    const { draft } = this.#board;
    const touching = draft.arrows.filter(({ from, to }) => from === box.key || to === box.key);
    const items = touching.map((arrow) => {
      const text = `${label(draft, arrow.from)} → ${label(draft, arrow.to)}`;
      const gone = () => {
        this.#board.change((now) => {
          disconnect(now, arrow);
        });
        this.#focus(box.key);
      };
      return h(
        'li',
        {},
        h('span', {}, text),
        button('×', gone, { class: 'mb-small', label: `× remove arrow ${text}` }),
      );
    });
    return items.length
      ? h('ul', { class: 'mb-list' }, ...items)
      : h('p', { class: 'mb-faint' }, 'no arrows yet');
  }

  #placement(key: string, box: Box): HTMLElement[] {
    const set = (name: 'method' | 'maximum' | 'nodes') => (value: string) => {
      this.#board.change((draft) => {
        const found = draft.boxes.find((each) => each.key === key);
        if (found) found[name] = value;
      });
    };
    const nodes = this.#board.nodes.slice(0, 2).join(', ') || 'node_0, node_3';
    const here = { placeholder: `all, or ${nodes}`, value: box.nodes };
    return [
      choiceField({ label: 'Runs on', value: box.method, changed: set('method') }, METHODS).el,
      textField({ label: 'At most', placeholder: '3, or 0.5', value: box.maximum, changed: set('maximum') })
        .el,
      textField({ label: 'Only on nodes', ...here, changed: set('nodes') }).el,
    ];
  }
}
