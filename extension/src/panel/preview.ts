/** One value, opened: the code that reads it, and what the kernel says it looks like. */
import { fill, h, setText, show } from '../monitor/dom';
import type { ValueAnswer } from '../monitor/protocol';
import { partsOf } from '../monitor/valueparts';
import type { Actions, Wanted } from './data';
import { iconButton } from './icons';

/** What the kernel says of changes may come so much later than a value. */
const CROSSED_MS = 1_500;

export class Preview {
  readonly el: HTMLElement;
  private readonly code = h('code', { class: 'ms-code-text' });
  private readonly content = h('div', { class: 'ms-value', 'aria-live': 'polite' });
  private readonly outdated: HTMLButtonElement;
  private wanted: Wanted | null = null;
  private asked = 0;
  private answered = -Infinity;
  /** whether a person asked: then a change that crossed the answer on its way asks once more */
  private fresh = false;

  constructor(
    private readonly actions: Actions,
    /** asks once more for what is shown */
    private readonly again: () => void,
    ...above: HTMLElement[]
  ) {
    const text = (): string => this.code.textContent ?? '';
    this.outdated = h(
      'button',
      {
        type: 'button',
        class: 'ms-link',
        hidden: true,
        on: { click: () => this.again() },
      },
      'Changed since: look again',
    );
    const code = h(
      'div',
      { class: 'ms-code' },
      this.code,
      iconButton('copy', 'Copy this code', () => actions.copy(text())),
      iconButton('insert', 'Insert this code in a cell below', () => actions.insert(text())),
    );
    this.el = h('div', { class: 'ms-preview' }, ...above, code, this.outdated, this.content);
  }

  say(code: string): void {
    setText(this.code, code);
    this.code.title = code;
  }

  /** There is a newer value than the one that is shown. */
  outdate(): void {
    const crossed = this.fresh && performance.now() - this.answered < CROSSED_MS;
    if (!crossed || !this.wanted) {
      show(this.outdated, true);
      return;
    }
    this.again();
    this.fresh = false;
  }

  /** Ask for a value and show it; what was asked before comes too late. */
  ask(wanted: Wanted): void {
    this.wanted = wanted;
    this.fresh = true;
    const mine = (this.asked += 1);
    show(this.outdated, false);
    if (!this.content.childElementCount) fill(this.content, said('Asking the kernel …'));
    void this.actions.value(wanted).then((answer) => {
      if (mine !== this.asked) return;
      this.answered = performance.now();
      fill(this.content, ...(answer.ok ? drawn(answer.value) : [said(answer.text)]));
    });
  }
}

function drawn(value: unknown): HTMLElement[] {
  try {
    return partsOf(value as ValueAnswer);
  } catch {
    return [said('This value cannot be shown.')];
  }
}

function said(text: string): HTMLElement {
  return h('p', { class: 'ms-faint' }, text);
}
