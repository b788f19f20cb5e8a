/** The lines in sight of a long log; it stays at the newest line until somebody scrolls up. */
import { h, setAttribute, setText, show } from './dom';
import { count } from './format';
import { windowOf } from './rows';
import type { LogRow } from './store';

/** A line's height in pixels, as in panels.css. */
export const LINE = 20;

type Tone = 'bad' | 'warn' | 'calm' | 'faint';

export function toneOf(level: string): Tone {
  const name = level.toLowerCase();
  if (/^(error|critical|fatal|stderr)$/.test(name)) return 'bad';
  if (name.startsWith('warn')) return 'warn';
  return name === 'debug' ? 'faint' : 'calm';
}

interface Line {
  readonly el: HTMLElement;
  readonly cells: readonly HTMLElement[];
}

export class LogList {
  readonly el: HTMLElement;
  private readonly box: HTMLElement;
  private readonly inner = h('div', { class: 'mp-log-inner' });
  private readonly jump = h('button', { type: 'button', class: 'mp-jump', hidden: true });
  private readonly lines: Line[] = [];
  private readonly resized: ResizeObserver;
  private rows: readonly LogRow[] = [];
  private following = true;
  /** how many there were when somebody scrolled up */
  private seen = 0;

  constructor(private readonly open: (row: LogRow) => void) {
    const said = { role: 'log', 'aria-live': 'off', 'aria-label': 'Log lines' };
    this.box = h('div', { class: 'mp-log', tabindex: 0, ...said }, this.inner);
    this.el = h('div', { class: 'mp-log-frame' }, this.box, this.jump);
    this.box.addEventListener('scroll', () => {
      this.onScroll();
    });
    this.jump.addEventListener('click', () => {
      this.toNewest();
      this.box.focus({ preventScroll: true });
    });
    this.inner.addEventListener('click', ({ target }) => {
      const line = this.lines.find(({ el }) => target instanceof Node && el.contains(target));
      const row = line && this.rows[Number(line.el.dataset.at)];
      if (row) this.open(row);
    });
    this.resized = new ResizeObserver(() => {
      this.put(this.rows);
    });
    this.resized.observe(this.box);
  }

  /** `added` lines were put before the others: what is in sight stays there. */
  put(rows: readonly LogRow[], added = 0): void {
    this.rows = rows;
    const height = `${rows.length * LINE}px`;
    if (this.inner.style.height !== height) this.inner.style.height = height;
    if (added) this.box.scrollTop += added * LINE;
    this.seen += added;
    if (this.following) this.box.scrollTop = this.box.scrollHeight;
    this.draw();
  }

  toNewest(): void {
    this.following = true;
    this.put(this.rows);
  }

  dispose(): void {
    this.resized.disconnect();
  }

  private onScroll(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.box;
    if (!clientHeight) return;
    const following = scrollTop + clientHeight >= scrollHeight - LINE;
    if (this.following && !following) this.seen = this.rows.length;
    this.following = following;
    this.draw();
  }

  private draw(): void {
    const { first, last } = windowOf(this.box.scrollTop, this.box.clientHeight, LINE, this.rows.length, 4);
    while (this.lines.length < last - first) this.addLine();
    for (const { el } of this.lines.splice(last - first)) el.remove();
    this.lines.forEach((line, slot) => {
      this.rewrite(line, first + slot);
    });
    const fresh = Math.max(0, this.rows.length - this.seen);
    show(this.jump, !this.following);
    setText(this.jump, fresh ? `↓ ${count(fresh, 'new line')}` : '↓ Jump to newest');
  }

  private addLine(): void {
    const cells = ['iteration', 'level', 'node', 'task', 'text'].map((part) =>
      h('span', { class: `mp-log-${part}` }),
    );
    const el = h('div', {}, ...cells);
    this.inner.append(el);
    this.lines.push({ el, cells });
  }

  private rewrite({ el, cells }: Line, at: number): void {
    const row = this.rows[at];
    if (!row) return;
    const top = `${at * LINE}px`;
    if (el.style.top !== top) el.style.top = top;
    setAttribute(el, 'class', `mp-line mp-tone-${toneOf(row.level)}`);
    setAttribute(el, 'data-at', at);
    setAttribute(el, 'title', row.iteration !== null && `iteration ${row.iteration}`);
    const flat = row.text.replace(/\r?\n/g, ' ⏎ ');
    const texts = [row.iteration === null ? '' : String(row.iteration), row.level, row.node, row.task, flat];
    cells.forEach((cell, part) => {
      setText(cell, texts[part] ?? '');
    });
  }
}
