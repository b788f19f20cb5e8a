/** A part of the sidebar under a head that folds it away. */
import { h, setAttribute, setText, show, uniqueId } from '../monitor/dom';
import type { Folds } from './data';
import { icon } from './icons';

export class Section {
  readonly el: HTMLElement;
  readonly body: HTMLElement;
  /** beside the head: buttons that belong to the whole part */
  readonly actions = h('div', { class: 'ms-section-actions' });
  private readonly button: HTMLButtonElement;
  private readonly title = h('span', {});
  private readonly of = h('span', { class: 'ms-section-of' });
  private readonly count = h('span', { class: 'ms-section-count' });
  private open: boolean;

  constructor(
    private readonly name: string,
    private readonly folds: Folds,
  ) {
    const id = uniqueId('part');
    this.open = folds.isOpen(name);
    this.body = h('div', { class: 'ms-section-body', id });
    this.button = h(
      'button',
      { type: 'button', class: 'ms-fold', 'aria-controls': id, on: { click: () => this.turn() } },
      icon('chevron'),
      this.title,
      this.of,
      this.count,
    );
    const head = h('div', { class: 'ms-section-head' }, h('h3', {}, this.button), this.actions);
    this.el = h('section', { class: 'ms-section', 'data-part': name }, head, this.body);
    setText(this.title, name);
    this.label('');
    this.mark();
  }

  /** A number beside the name, and whose part it is (`of fl`); "" for none. */
  label(count: string, of = ''): void {
    setText(this.of, of);
    setText(this.count, count);
    setAttribute(this.el, 'aria-label', of ? `${this.name} ${of}` : this.name);
  }

  private turn(): void {
    this.open = !this.open;
    this.folds.keep(this.name, this.open);
    this.mark();
  }

  private mark(): void {
    setAttribute(this.button, 'aria-expanded', String(this.open));
    show(this.body, this.open);
  }
}
