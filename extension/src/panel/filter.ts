/** A field that narrows a long list down; it is there only where the list is long. */
import { h, show } from '../monitor/dom';

const MANY = 12;

export class Filter {
  readonly el: HTMLInputElement;

  constructor(
    label: string,
    private readonly changed: () => void,
  ) {
    this.el = h('input', {
      type: 'search',
      class: 'ms-input ms-filter',
      placeholder: label,
      'aria-label': label,
      autocomplete: 'off',
      spellcheck: 'false',
      hidden: true,
      on: { input: () => this.changed() },
    });
  }

  /** Those whose text has what was typed; all of them where the field is not there. */
  of<Item>(items: readonly Item[], text: (item: Item) => string): readonly Item[] {
    show(this.el, items.length > MANY);
    const typed = this.el.hidden ? '' : this.el.value.trim().toLowerCase();
    return typed ? items.filter((item) => text(item).toLowerCase().includes(typed)) : items;
  }
}
