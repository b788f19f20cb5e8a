/** What is said where there is nothing to show yet, and what to do about it. */
import { h, setText, show } from '../monitor/dom';
import type { Actions, View } from './data';
import { showStart } from './startbutton';

interface Said {
  readonly text: string;
  /** what to type, after the text */
  readonly code?: string;
  /** whether nodes can be started from here */
  readonly start?: boolean;
}

/** Null where all is well. */
export function noticeOf({ notebook, phase, trouble, known }: View): Said | null {
  if (notebook === null) return { text: 'Open a notebook: its nodes and runs are shown here.' };
  if (phase === null) return { text: 'This notebook has no kernel: choose one at its top right.' };
  if (trouble) return { text: trouble };
  if (phase === 'restarting') return { text: 'Waiting for the kernel to come back …' };
  if (phase === 'opening' && !known.kernel)
    return { text: 'Asking the kernel … If it is busy with a cell, it answers when that has ended.' };
  if (phase === 'absent')
    return {
      text: 'This kernel has no Manta yet. Start nodes, or run',
      code: '%load_ext manta_nb',
      start: true,
    };
  return null;
}

export class Notice {
  readonly el: HTMLElement;
  private readonly text = h('span');
  private readonly code = h('code');
  private readonly start: HTMLButtonElement;

  constructor(actions: Actions) {
    this.start = h('button', {
      type: 'button',
      class: 'ms-button ms-primary',
      on: { click: () => actions.start() },
    });
    this.el = h(
      'div',
      { class: 'ms-notice', role: 'status' },
      h('p', {}, this.text, ' ', this.code),
      this.start,
    );
  }

  update(view: View): void {
    const said = noticeOf(view);
    show(this.el, said !== null);
    setText(this.text, said?.text ?? '');
    setText(this.code, said?.code ?? '');
    show(this.code, said?.code !== undefined);
    showStart(this.start, view);
    show(this.start, said?.start ?? false);
  }
}
