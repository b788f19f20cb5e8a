/** Which committed iteration is looked at: a slider whose end is "now", which goes on by itself. */
import { h, setAttribute, setText } from './dom';
import { integer } from './format';
import type { Moment } from './panel';
import type { State } from './store';

export class Slider {
  readonly el: HTMLElement;
  private readonly input = h('input', {
    class: 'mm-slider-input',
    type: 'range',
    min: 0,
    max: 0,
    step: 1,
    'aria-label': 'Committed iteration that is shown',
  });
  private readonly label = h('output', { class: 'mm-slider-label' });
  private readonly now = h('button', { class: 'mm-small-button', type: 'button' }, 'Now');
  private at: number | null = null;
  private last = -1;

  constructor(private readonly moved: (moment: Moment) => void) {
    this.input.addEventListener('input', () => this.go(Number(this.input.value)));
    this.now.addEventListener('click', () => this.go(this.last));
    const step = (label: string, title: string, by: number): HTMLElement =>
      h(
        'button',
        {
          class: 'mm-icon-button',
          type: 'button',
          title,
          'aria-label': title,
          on: { click: () => this.go((this.at ?? this.last) + by) },
        },
        label,
      );
    this.el = h(
      'div',
      { class: 'mm-slider', role: 'group', 'aria-label': 'Look back' },
      step('‹', 'One iteration back', -1),
      this.input,
      step('›', 'One iteration on', 1),
      this.label,
      this.now,
    );
    this.show();
  }

  get moment(): Moment {
    return { at: this.at };
  }

  update(state: State): void {
    this.last = (state.run?.iteration ?? 0) - 1;
    if (this.at !== null && this.at >= this.last) this.at = null;
    this.show();
  }

  private go(iteration: number): void {
    const at = iteration >= this.last ? null : Math.max(0, iteration);
    if (at === this.at) return;
    this.at = at;
    this.show();
    this.moved(this.moment);
  }

  private show(): void {
    const shown = this.at ?? this.last;
    const text = this.last < 0 ? 'nothing committed yet' : this.said(shown);
    setAttribute(this.input, 'max', Math.max(0, this.last));
    setAttribute(this.input, 'disabled', this.last < 1);
    setAttribute(this.input, 'aria-valuetext', text);
    this.input.value = String(Math.max(0, shown));
    this.input.style.setProperty('--mm-share', `${this.last > 0 ? (100 * shown) / this.last : 0}%`);
    setText(this.label, text);
    setAttribute(this.now, 'disabled', this.at === null);
    for (const button of this.el.querySelectorAll('.mm-icon-button'))
      setAttribute(button, 'disabled', this.last < 1);
    this.el.classList.toggle('mm-back', this.at !== null);
  }

  private said(iteration: number): string {
    return this.at === null ? `iteration ${integer(iteration)} (newest)` : `iteration ${integer(iteration)}`;
  }
}
