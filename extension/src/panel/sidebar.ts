/** The sidebar: what the kernel of the active notebook has, drawn at most once a frame and only while it is seen. */
import { h, setAttribute, setText, show } from '../monitor/dom';
import { followTheme } from '../monitor/theme';
import themeStyle from '../monitor/theme.css';
import type { Actions, Folds, View } from './data';
import { NodesPart } from './nodes';
import { Notice } from './notice';
import panelStyle from './panel.css';
import rowStyle from './rows.css';
import { RunsPart } from './runs';
import { globalsPart, resultsPart } from './values';
import valueStyle from './values.css';

/** The monitor's colours, for the sidebar as well. */
export const STYLE = [
  themeStyle.replaceAll('.manta-monitor', '.manta-sidebar'),
  panelStyle,
  rowStyle,
  valueStyle,
].join('\n');

const TOAST_MS = 8_000;
/** "5 min ago" grows old. */
const TICK_MS = 30_000;

interface Part {
  readonly el: HTMLElement;
  update(view: View): void;
}

export class Sidebar {
  readonly el: HTMLElement;
  private readonly notebook = h('span', { class: 'ms-notebook' });
  private readonly notice: Notice;
  private readonly parts: Part[];
  private readonly body: HTMLElement;
  private readonly toast = h('p', { class: 'ms-toast', role: 'status' });
  private readonly unfollow: () => void;
  private readonly ticking: ReturnType<typeof setInterval>;
  private toasting: ReturnType<typeof setTimeout> | undefined;
  private view: View | null = null;
  private frame = 0;
  private seen = false;
  private due = false;

  constructor(actions: Actions, folds: Folds) {
    this.notice = new Notice(actions);
    this.parts = [
      new NodesPart(actions, folds),
      new RunsPart(actions, folds),
      globalsPart(actions, folds),
      resultsPart(actions, folds),
    ];
    this.body = h('div', { class: 'ms-parts' }, ...this.parts.map(({ el }) => el));
    const head = h('div', { class: 'ms-head' }, h('h2', { class: 'ms-unseen' }, 'Manta'), this.notebook);
    const scroll = h('div', { class: 'ms-scroll' }, this.notice.el, this.body);
    this.el = h('div', { class: 'manta-sidebar' }, head, scroll, this.toast);
    this.unfollow = followTheme(this.el, () => undefined);
    this.ticking = setInterval(() => this.request(), TICK_MS);
  }

  /** What is to be shown from now on. */
  put(view: View): void {
    this.view = view;
    this.request();
  }

  /** Whether anybody can see it: what changes while nobody does is drawn when somebody does again. */
  visible(seen: boolean): void {
    this.seen = seen;
    if (seen && this.due) this.request();
  }

  /** One line about something that was asked for; it stays for a while. */
  tell(text: string, bad = false): void {
    setText(this.toast, text);
    this.toast.classList.toggle('ms-bad', bad);
    clearTimeout(this.toasting);
    this.toasting = setTimeout(() => setText(this.toast, ''), TOAST_MS);
  }

  dispose(): void {
    cancelAnimationFrame(this.frame);
    clearInterval(this.ticking);
    clearTimeout(this.toasting);
    this.unfollow();
    this.el.remove();
  }

  private request(): void {
    this.due = true;
    if (!this.seen) return;
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  private draw(): void {
    const { view } = this;
    if (!view || !this.seen) return;
    this.due = false;
    setText(this.notebook, view.notebook ?? 'Manta');
    setAttribute(this.notebook, 'title', view.notebook);
    setAttribute(this.el, 'data-phase', view.phase ?? 'none');
    this.notice.update(view);
    const known = view.phase !== null && view.known.kernel !== null && !view.trouble;
    show(this.body, known);
    if (known) for (const part of this.parts) part.update(view);
  }
}
