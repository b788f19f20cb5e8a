/** Which nodes a chart shows: all of them, or some that are picked from a list. */
import { fill, h, setAttribute, setText, show, uniqueId } from './dom';
import { integer } from './format';

/** More names than this are found by typing a part of one. */
const SHOWN = 200;

export class NodePicker {
  readonly el: HTMLElement;
  private readonly button = h('button', { class: 'mm-chip', type: 'button', 'aria-expanded': 'false' });
  private readonly filter = h('input', {
    class: 'mm-input',
    type: 'search',
    placeholder: 'find a node',
    'aria-label': 'Find a node',
  });
  private readonly list = h('div', { class: 'mm-picker-list', role: 'group', 'aria-label': 'Nodes' });
  private readonly box = h('div', { class: 'mm-picker-box' });
  private names: readonly string[] = [];
  private readonly picked = new Set<number>();

  /** `picked` is called with the chosen nodes in the order of choice; none means all. */
  constructor(private readonly changed: (picked: ReadonlySet<number>) => void) {
    const all = h(
      'button',
      { class: 'mm-small-button', type: 'button', on: { click: () => this.clear() } },
      'Show all',
    );
    this.box.id = uniqueId('picker');
    this.box.append(h('div', { class: 'mm-picker-top' }, this.filter, all), this.list);
    setAttribute(this.button, 'aria-controls', this.box.id);
    this.button.addEventListener('click', () => this.toggle(this.box.hidden));
    this.filter.addEventListener('input', () => this.fillList());
    this.el = h('div', { class: 'mm-picker' }, this.button, this.box);
    this.el.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || this.box.hidden) return;
      this.toggle(false);
      this.button.focus();
      event.stopPropagation();
    });
    this.el.addEventListener('focusout', (event) => {
      if (!this.el.contains(event.relatedTarget as Node | null)) this.toggle(false);
    });
    this.toggle(false);
  }

  update(names: readonly string[]): void {
    const grown = names.length !== this.names.length;
    this.names = names;
    this.label();
    if (grown && !this.box.hidden) this.fillList();
  }

  private toggle(shown: boolean): void {
    show(this.box, shown);
    setAttribute(this.button, 'aria-expanded', String(shown));
    if (shown) {
      this.fillList();
      this.filter.focus();
    }
  }

  private clear(): void {
    this.picked.clear();
    this.fillList();
    this.tell();
  }

  private fillList(): void {
    const wanted = this.filter.value.trim().toLowerCase();
    const found = this.names.flatMap((name, node) =>
      name.toLowerCase().includes(wanted) ? [{ name, node }] : [],
    );
    const rest = found.length - SHOWN;
    fill(
      this.list,
      ...found.slice(0, SHOWN).map(({ name, node }) => this.choice(name, node)),
      rest > 0 && h('p', { class: 'mm-faint' }, `and ${integer(rest)} more: type a part of the name`),
      !found.length && h('p', { class: 'mm-faint' }, 'no such node'),
    );
  }

  private choice(name: string, node: number): HTMLElement {
    const box = h('input', { type: 'checkbox' });
    box.checked = this.picked.has(node);
    box.addEventListener('change', () => {
      if (box.checked) this.picked.add(node);
      else this.picked.delete(node);
      this.tell();
    });
    return h('label', { class: 'mm-picker-choice' }, box, h('span', { title: name }, name));
  }

  private tell(): void {
    this.label();
    this.changed(this.picked);
  }

  private label(): void {
    const { size } = this.picked;
    setText(
      this.button,
      size
        ? `${integer(size)} of ${integer(this.names.length)} nodes ▾`
        : `All ${integer(this.names.length)} nodes ▾`,
    );
    setAttribute(this.button, 'aria-pressed', null);
  }
}
