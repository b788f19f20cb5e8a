/** One task of the drawn graph: a box that is filled in anew whenever the task moves on. */
import { s, setAttribute, setText } from './dom';
import { count, cut, duration, integer } from './format';
import type { Rect } from './plane';
import { TASK_MARKS } from './marks';
import type { GraphTask, TaskRow } from './protocol';

/** Rough widths of letters; what is still too wide is clipped by the box. */
const BOLD = 8.2;
const SMALL = 6.2;

/** `5 done · 2 running · 1 failed of 8`, short where there is no room; `idle` is said of nobody. */
export function countsText(task: TaskRow | undefined, short = false, idle = 'waiting'): string {
  if (!task) return idle;
  const of = task.placed || task.planned;
  const known: [number, string, string][] = [
    [task.done, 'done', '✓'],
    [task.running, 'running', '▶'],
    [task.failed, 'failed', '✗'],
  ];
  const some = known.filter(([n]) => n > 0);
  if (!some.length) return of ? `${idle} · ${count(of, 'node')}` : idle;
  const counted = some.map(([n, word, sign]) => (short ? `${sign} ${integer(n)}` : `${integer(n)} ${word}`));
  return `${counted.join(' · ')} of ${integer(of)}`;
}

/** What a screen reader says of a task. */
export function sentence(label: string, task: TaskRow | undefined, idle = 'waiting'): string {
  const state = task && task.state !== 'pending' ? `${TASK_MARKS[task.state].word}, ` : '';
  const took = task?.seconds === null || task === undefined ? '' : `, ${duration(task.seconds)}`;
  const where = task?.where ? `, on ${task.where}` : '';
  return `${label}: ${state}${countsText(task, false, idle)}${took}${where}`;
}

/** Shares of the bar: done, running, failed; together at most 1. */
export function shares(task: TaskRow | undefined): [number, number, number] {
  const of = task ? Math.max(task.placed, task.planned, task.done + task.running + task.failed) : 0;
  return task && of ? [task.done / of, task.running / of, task.failed / of] : [0, 0, 0];
}

export class TaskBox {
  readonly el: SVGElement;
  private readonly title = s('title');
  private readonly sign = s('text', { class: 'mp-sign', x: 17, y: 20.5, 'text-anchor': 'middle' });
  private readonly took: SVGTextElement;
  private readonly counts = s('text', { class: 'mp-counts', x: 10, y: 42 });
  private readonly where = s('text', { class: 'mp-where', x: 10, y: 69 });
  private readonly parts = ['done', 'running', 'failed'].map((kind) =>
    s('rect', { class: `mp-part mp-part-${kind}`, y: 50, height: 5 }),
  );
  private readonly name = s('text', { class: 'mp-task', x: 30, y: 21 });

  constructor(
    private readonly task: GraphTask,
    private readonly rect: Rect,
  ) {
    const { x, y, width, height } = rect;
    this.took = s('text', { class: 'mp-took', x: width - 10, y: 20.5, 'text-anchor': 'end' });
    this.el = s(
      'svg',
      { x, y, width, height, class: 'mp-box' },
      this.title,
      s('rect', { class: 'mp-frame', x: 1, y: 1, width: width - 2, height: height - 2, rx: 8 }),
      s('circle', { class: 'mp-dot', cx: 17, cy: 16, r: 8 }),
      this.sign,
      this.name,
      this.took,
      this.counts,
      s('rect', { class: 'mp-track', x: 10, y: 50, width: width - 20, height: 5, rx: 2.5 }),
      ...this.parts,
      this.where,
    );
    this.update(undefined);
  }

  /** `idle` is said of a task that runs nowhere. */
  update(row: TaskRow | undefined, idle = 'waiting'): void {
    const { width } = this.rect;
    const state = row?.state ?? 'pending';
    const took = row?.seconds === null || row === undefined ? '' : duration(row.seconds);
    setAttribute(this.el, 'class', `mp-box mp-tone-${TASK_MARKS[state].tone} mp-is-${state}`);
    setText(this.sign, TASK_MARKS[state].sign);
    setText(this.took, took);
    setText(this.name, cut(this.task.label, Math.floor((width - 44 - took.length * 7) / BOLD)));
    const letters = Math.floor((width - 18) / SMALL);
    const counts = countsText(row, false, idle);
    setText(this.counts, counts.length <= letters ? counts : countsText(row, true, idle));
    setText(this.where, cut(row?.where ?? '', letters));
    setText(this.title, sentence(this.task.label, row, idle));
    this.fillBar(row);
  }

  private fillBar(row: TaskRow | undefined): void {
    const room = this.rect.width - 20;
    let x = 10;
    shares(row).forEach((share, at) => {
      const part = this.parts[at];
      if (!part) return;
      setAttribute(part, 'x', x.toFixed(1));
      setAttribute(part, 'width', (share * room).toFixed(1));
      x += share * room;
    });
  }
}
