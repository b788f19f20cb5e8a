/** One value, looked at: asked from the kernel and shown under the table that it was picked in. */
import { fill, h, setText, show, uniqueId } from './dom';
import type { Kernel } from './panel';
import type { Answer, ValueAnswer } from './protocol';
import { partsOf, refused } from './valueparts';

/** Which value: of a Global or a Result, at an iteration (null is the newest). */
export interface Wanted {
  readonly kind: 'global' | 'result';
  readonly tag: string;
  readonly node?: string;
  readonly iteration: number | null;
}

/** `w of node_3, iteration 4` */
export function titleOf({ tag, node, iteration }: Wanted): string {
  const of = node === undefined ? '' : ` of ${node}`;
  return `${tag}${of}, ${iteration === null ? 'newest value' : `iteration ${iteration}`}`;
}

export class ValueView {
  readonly el: HTMLElement;
  private readonly title: HTMLElement;
  private readonly content = h('div', { class: 'mp-value-body' });
  private readonly again = button('Changed since: look again', () => {
    if (this.wanted) this.ask(this.wanted);
  });
  private wanted: Wanted | null = null;
  private back: { focus(): void } | null = null;
  private asked = 0;

  constructor(private readonly kernel: Kernel) {
    const id = uniqueId('value');
    this.title = h('div', { class: 'mp-title', id, 'aria-live': 'polite' });
    const closer = button('Close ✕', () => {
      this.close();
    });
    const head = h('div', { class: 'mp-bar' }, this.title, this.again, closer);
    this.el = h('section', { class: 'mp-value', 'aria-labelledby': id, hidden: true }, head, this.content);
    this.el.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      this.close();
    });
  }

  /** What is shown now; null when closed. */
  get shown(): Wanted | null {
    return this.wanted;
  }

  /** Ask for a value and show it; `back` gets the keyboard when it is closed. */
  open(wanted: Wanted, back: { focus(): void }): void {
    this.back = back;
    setText(this.title, titleOf(wanted));
    fill(this.content, h('p', { class: 'mp-faint' }, 'Asking the kernel …'));
    show(this.el, true);
    this.ask(wanted);
  }

  /** There is a newer value than the one that is shown. */
  outdate(): void {
    show(this.again, true);
  }

  close(): void {
    if (this.el.contains(document.activeElement)) this.back?.focus();
    this.asked += 1;
    this.wanted = null;
    show(this.el, false);
  }

  private ask(wanted: Wanted): void {
    this.wanted = wanted;
    const mine = (this.asked += 1);
    show(this.again, false);
    const put = (...parts: HTMLElement[]): void => {
      if (mine !== this.asked) return;
      fill(this.content, ...parts);
      this.el.scrollIntoView({ block: 'nearest' });
    };
    this.kernel.ask({ op: 'value', ...wanted }).then(
      (answer: Answer) => {
        put(...(answer.ok ? partsOf(answer as ValueAnswer) : [refused(answer.text)]));
      },
      (reason: unknown) => {
        put(refused(reason instanceof Error ? reason.message : 'The kernel did not answer.'));
      },
    );
  }
}

function button(text: string, click: () => void): HTMLButtonElement {
  return h('button', { type: 'button', class: 'mp-button', on: { click } }, text);
}
