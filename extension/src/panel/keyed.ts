/** A list that is patched in place: what stays keeps its element, its focus and its place on the screen. */
import { h } from '../monitor/dom';

export interface Row<Item> {
  readonly el: HTMLElement;
  update(item: Item): void;
}

export class KeyedList<Item> {
  readonly el: HTMLElement;
  private readonly rows = new Map<string, Row<Item>>();

  constructor(
    label: string,
    private readonly key: (item: Item) => string,
    private readonly make: () => Row<Item>,
  ) {
    this.el = h('ul', { class: 'ms-list', 'aria-label': label });
  }

  get size(): number {
    return this.rows.size;
  }

  /** Show these, in this order. */
  put(items: readonly Item[]): void {
    const keyed = new Map(items.map((item) => [this.key(item), item]));
    for (const [key, row] of this.rows) {
      if (keyed.has(key)) continue;
      row.el.remove();
      this.rows.delete(key);
    }
    let place = this.el.firstElementChild;
    for (const [key, item] of keyed) {
      const row = this.rows.get(key) ?? this.make();
      this.rows.set(key, row);
      row.update(item);
      if (row.el === place) place = place.nextElementSibling;
      else this.move(row.el, place);
    }
  }

  /** An element that moves loses the focus: it gets it back. */
  private move(el: HTMLElement, before: Element | null): void {
    const focused = this.el.ownerDocument.activeElement;
    this.el.insertBefore(el, before);
    if (focused !== this.el.ownerDocument.activeElement && el.contains(focused))
      (focused as HTMLElement).focus({ preventScroll: true });
  }
}
