/** The badge of a cell: a small button in the corner of its editor. */
import { h, setAttribute, setText, show } from '../monitor/dom';
import type { Badge } from './status';

/** Dot, gap, padding and border: see cells.css. */
const REST = 27;

export class BadgeView {
  readonly node: HTMLButtonElement;
  private readonly text = h('span', { class: 'mc-badge-text' });
  private readonly bar = h('span', { class: 'mc-badge-bar', 'aria-hidden': 'true' });
  private badge: Badge | null = null;

  constructor(onClick: (badge: Badge) => void) {
    const click = (event: MouseEvent): void => {
      event.stopPropagation();
      if (this.badge) onClick(this.badge);
    };
    // the editor would take the focus, and move the cursor
    const mousedown = (event: MouseEvent): void => {
      event.preventDefault();
      event.stopPropagation();
    };
    const dot = h('span', { class: 'mc-badge-dot', 'aria-hidden': 'true' });
    const attributes = { class: 'mc-badge', type: 'button', hidden: true, on: { click, mousedown } };
    this.node = h('button', attributes, dot, this.text, this.bar);
  }

  show(badge: Badge | null): void {
    this.badge = badge;
    show(this.node, badge !== null);
    if (!badge) return;
    setAttribute(this.node, 'data-look', badge.look);
    setAttribute(this.node, 'title', badge.title);
    setText(this.text, badge.text);
    show(this.bar, badge.progress !== null);
    this.bar.style.setProperty('--mc-done', `${Math.round((badge.progress ?? 0) * 100)}%`);
  }

  /** The room it needs to be read. */
  get width(): number {
    // what is cut off counts: the text has its whole width also while only the dot is seen
    return this.text.scrollWidth + REST;
  }

  /** Leave `shift` pixels free at the right; `tight`: only a dot, for want of room. */
  place(shift: number, tight: boolean): void {
    this.node.style.setProperty('--mc-shift', `${Math.round(shift)}px`);
    setAttribute(this.node, 'data-tight', tight);
  }
}
