/** A metric as a card: its name and newest value, the plot, what the pointer is at, and a menu. */
import type uPlot from 'uplot';
import { fill, h, setAttribute, setText, show } from './dom';
import { csv, download, picture } from './export';
import { number } from './format';
import { menuButton } from './menu';
import type { Palette } from './palette';
import { Plot } from './plot';
import { nearest, passing, standing, where, zoomed } from './reading';
import type { ChartContent } from './reading';
import type { Range } from './scales';

export interface ChartEvents {
  /** the node whose line the pointer is at, null for none */
  highlight(node: number | null): void;
  zoom(range: Range | null): void;
}

/** Where the pointer is: an x of the plot, and CSS pixels from its corner. */
type Pointer = { readonly x: number; readonly left: number; readonly top: number };
type Point = { readonly node: number; readonly value: number };

/** A line is under the pointer when it is not further away than this. */
const NEAR = 14;

export class Chart {
  readonly el: HTMLElement;
  private readonly title = h('h4', { class: 'mm-chart-title' });
  private readonly value = h('span', { class: 'mm-chart-value' });
  private readonly where = h('span', { class: 'mm-chart-where' });
  private readonly spread = h('p', { class: 'mm-chart-spread' });
  private readonly scale = h('span', { class: 'mm-chart-where', hidden: true }, 'log');
  private readonly message = h('p', { class: 'mm-chart-message' });
  private readonly notes = h('ul', { class: 'mm-chart-notes' });
  private readonly tip = h('div', { class: 'mm-tip', hidden: true, 'aria-hidden': 'true' });
  private readonly spoken = h('div', { class: 'mm-unseen', role: 'status' });
  private readonly reset = h(
    'button',
    { class: 'mm-small-button', type: 'button', hidden: true },
    'Reset zoom',
  );
  private readonly plot: Plot;
  private content: ChartContent | null = null;
  /** index of the point of the curve that is looked at */
  private at: number | null = null;
  private pointed = false;

  constructor(
    private palette: Palette,
    private readonly events: ChartEvents,
    sync: uPlot.SyncPubSub,
  ) {
    this.plot = new Plot(
      palette,
      { hover: (at) => this.hover(at), zoom: (range) => events.zoom(range) },
      sync,
    );
    this.reset.addEventListener('click', () => events.zoom(null));
    const menu = menuButton('⋯', 'More about this chart', () => this.menu());
    const frame = h('div', { class: 'mm-plot-frame' }, this.plot.el, this.tip, this.message);
    this.el = h(
      'div',
      {
        class: 'mm-chart',
        role: 'group',
        'aria-roledescription': 'chart',
        tabindex: 0,
        on: { keydown: (event) => this.key(event) },
      },
      h('div', { class: 'mm-chart-head' }, this.title, this.scale, this.reset, menu),
      h('div', { class: 'mm-chart-values' }, this.value, this.where),
      this.spread,
      frame,
      this.notes,
      this.spoken,
    );
  }

  show(content: ChartContent): void {
    this.content = content;
    setText(this.title, content.label);
    this.title.title = this.el.dataset.metric = content.label;
    show(this.reset, content.zoomed);
    show(this.message, content.message !== '');
    setText(this.message, content.message);
    this.plot.el.classList.toggle('mm-blank', content.message !== '');
    this.describe();
    const notes = content.notes.join('\n');
    if (this.notes.dataset.text !== notes) {
      this.notes.dataset.text = notes;
      fill(this.notes, ...content.notes.map((note) => h('li', {}, note)));
    }
    if (!content.message) this.plot.draw(content);
  }

  repaint(palette: Palette): void {
    this.palette = palette;
    this.plot.repaint(palette);
  }

  resize(): void {
    this.plot.resize();
  }

  dispose(): void {
    this.plot.dispose();
  }

  /** The words for the point that is looked at: under the pointer, at the slider, or the newest. */
  private describe(): void {
    if (!this.content) return;
    // what is pointed at may have been taken back
    if (this.at !== null && this.at >= this.content.curve.length) this.at = null;
    const { value, spread, where } =
      this.at === null ? standing(this.content) : passing(this.content, this.at);
    setText(this.value, value);
    setText(this.spread, spread);
    setText(this.where, where);
    const said = [`${this.content.label}: ${value}`, spread, where].filter(Boolean).join(', ');
    setAttribute(this.el, 'aria-label', `${said}. Left and right move, plus and minus zoom.`);
  }

  private hover(at: Pointer | null): void {
    const { content } = this;
    if (!content?.curve.length) return;
    const index = at === null ? null : nearest(content.curve.x.view(), at.x);
    const moved = index !== this.at;
    this.at = index;
    if (moved) this.describe();
    // a cursor may stand here because the pointer is over another chart
    const here = at !== null && this.el.querySelector('.u-over:hover') !== null;
    const point = here ? this.pointAt(at) : null;
    if (here || this.pointed) this.events.highlight(point?.node ?? null);
    this.pointed = here;
    this.placeTip(here ? at : null, point);
  }

  /** The point of the line that passes nearest to the pointer. */
  private pointAt({ x, top }: Pointer): Point | null {
    let best: Point | null = null;
    let closest = NEAR;
    for (const [node, line] of this.content?.metric?.lines ?? []) {
      const value = line.value.at(nearest(line.x.view(), x));
      const distance = Math.abs(this.plot.top(value) - top);
      if (distance < closest) [closest, best] = [distance, { node, value }];
    }
    return best;
  }

  private placeTip(at: Pointer | null, point: Point | null): void {
    show(this.tip, at !== null);
    if (!at || !this.content || this.at === null) return;
    const { curve, names } = this.content;
    fill(
      this.tip,
      h('span', { class: 'mm-tip-x' }, `iteration ${where(curve.x.at(this.at))}`),
      h('b', {}, `mean ${number(curve.mean.at(this.at))}`),
      point && h('span', { class: 'mm-tip-node' }, `${names[point.node] ?? ''} ${number(point.value)}`),
    );
    const { left, width } = this.plot.area;
    const right = at.left > width / 2;
    this.tip.style.left = right ? '' : `${left + at.left + 12}px`;
    this.tip.style.right = right ? `${width - at.left + 22}px` : '';
  }

  private key(event: KeyboardEvent): void {
    if (event.target !== this.el || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!this.content?.curve.length) return;
    const { curve, range } = this.content;
    const [low, high] = range;
    const middle = this.at === null ? high : curve.x.at(this.at);
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity }[
      event.key
    ];
    const zoom = { '+': 0.5, '=': 0.5, '-': 2 }[event.key];
    if (step !== undefined) this.move(step);
    else if (zoom !== undefined) this.events.zoom(zoomed([low, high], middle, zoom));
    else if (event.key === '0' || event.key === 'Escape') this.leave();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private move(step: number): void {
    const { curve } = this.content ?? {};
    if (!curve) return;
    const last = curve.length - 1;
    this.at = Math.max(0, Math.min(last, (this.at ?? last) + step));
    this.plot.point(curve.x.at(this.at));
    this.describe();
    setText(this.spoken, `iteration ${where(curve.x.at(this.at))}: ${this.value.textContent ?? ''}`);
  }

  private leave(): void {
    this.at = null;
    this.plot.point(null);
    this.describe();
    this.events.zoom(null);
  }

  private menu(): { label: string; checked?: boolean; disabled?: boolean; act: () => void }[] {
    const content = this.content;
    const empty = !content || content.message !== '';
    const toggle = (): void => {
      this.plot.log = !this.plot.log;
      show(this.scale, this.plot.log);
      if (content) this.show(content);
    };
    return [
      { label: 'Log scale', checked: this.plot.log, disabled: empty, act: toggle },
      { label: 'Reset zoom', disabled: !content?.zoomed, act: () => this.events.zoom(null) },
      { label: 'Save as PNG', disabled: empty, act: () => void this.save() },
      { label: 'Save as CSV', disabled: !content, act: () => this.saveCsv() },
    ];
  }

  private async save(): Promise<void> {
    const { canvas } = this.plot;
    const label = this.content?.label ?? '';
    const blob = canvas && (await picture(canvas, label, this.palette));
    if (blob) download(blob, `${label}.png`);
  }

  private saveCsv(): void {
    if (!this.content) return;
    const text = csv(this.content, this.content.names);
    download(new Blob([text], { type: 'text/csv;charset=utf-8' }), `${this.content.label}.csv`);
  }
}

export type { ChartContent } from './reading';
