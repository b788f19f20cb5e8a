/** The columns of the node table. */
import { h, setAttribute, setText } from './dom';
import { bytes, duration, percent } from './format';
import type { Column } from './grid';
import { nodeMark } from './marks';
import type { NodeRow } from './store';

export interface NodeEntry {
  readonly id: string;
  readonly row: NodeRow;
}

/** What the seconds of the others say about one. */
export interface Pace {
  readonly max: number;
  /** more than twice the median of at least three: a straggler */
  readonly slow: number;
}

export function paceOf(seconds: readonly (number | null)[]): Pace {
  const known = seconds
    .flatMap((value) => (value !== null && value > 0 ? [value] : []))
    .sort((a, b) => a - b);
  const median = known[Math.floor(known.length / 2)] ?? 0;
  return { max: known.at(-1) ?? 0, slow: known.length > 2 ? 2 * median : Infinity };
}

/** The keys are those of the command `nodes`. */
export function nodeColumns(pace: () => Pace): Column<NodeEntry>[] {
  const mine = (
    key: string,
    title: string,
    value: (row: NodeRow) => number | null,
    hint: string,
    width = 6.4,
  ) => ({
    ...numbers(key, title, width, value, bytes),
    hint,
  });
  return [
    {
      key: 'state',
      title: 'State',
      width: 7.6,
      text: ({ row }) => nodeMark(row.state).word,
      draw: drawState,
    },
    { key: 'node', title: 'Node', width: 8, pinned: true, text: ({ id }) => id, draw: drawName },
    { key: 'task', title: 'Task', width: 8, text: ({ row }) => row.task },
    { ...numbers('done', 'Progress', 7.4, ({ done }) => done, percent), draw: drawProgress },
    secondsColumn(pace),
    numbers('cpu', 'CPU', 5.2, ({ cpu }) => cpu, processor),
    mine('rss', 'Memory', ({ memory }) => memory, 'Memory of its worker process', 7),
    mine(
      'bytes_iteration',
      'Sent now',
      ({ bytesIteration }) => bytesIteration,
      'Bytes sent in this iteration',
      7.6,
    ),
    mine('bytes_out', 'Sent', ({ bytesOut }) => bytesOut, 'Bytes sent in all'),
    mine('data_bytes', 'Data', ({ dataBytes }) => dataBytes, 'Size of its own data'),
    { key: 'error', title: 'Last error', width: 11, text: ({ row }) => row.error, draw: drawError },
    { key: 'worker', title: 'Worker', width: 7.6, text: ({ row }) => row.worker },
    { key: 'menu', title: '', width: 2.6, text: () => '', draw: drawMenu },
  ];
}

function secondsColumn(pace: () => Pace): Column<NodeEntry> {
  return {
    ...numbers('seconds', 'Seconds', 8, ({ seconds }) => seconds, duration),
    hint: 'How long the task takes on this node; the bar compares it with the slowest',
    draw: (cell, entry) => {
      drawSeconds(cell, entry, pace());
    },
  };
}

function processor(cpu: number | null): string {
  return percent(cpu === null ? null : cpu / 100);
}

function numbers(
  key: string,
  title: string,
  width: number,
  value: (row: NodeRow) => number | null,
  shown: (value: number | null) => string,
): Column<NodeEntry> {
  const text = ({ row }: NodeEntry): string => shown(value(row));
  return { key, title, width, numeric: true, text, order: ({ row }) => value(row) };
}

function drawName(cell: HTMLElement, { id }: NodeEntry): void {
  setAttribute(cell, 'class', 'mp-strong mp-pinned');
  setText(cell, id);
}

/** The parts of a cell, made at its first drawing. */
function within(cell: HTMLElement, make: () => HTMLElement[]): HTMLElement[] {
  if (!cell.firstElementChild) cell.replaceChildren(...make());
  return [...cell.children] as HTMLElement[];
}

function drawState(cell: HTMLElement, { row }: NodeEntry): void {
  const { sign, word, tone } = nodeMark(row.state);
  const [dot, text] = within(cell, () => [
    h('span', { class: 'mp-badge', 'aria-hidden': 'true' }),
    h('span', { class: 'mp-word' }),
  ]);
  setAttribute(cell, 'class', `mp-state mp-tone-${tone}`);
  if (dot) setText(dot, sign);
  if (text) setText(text, word);
}

/** A bar behind a number. */
function drawBar(cell: HTMLElement, text: string, share: number, kind: string): void {
  const [track, number] = within(cell, () => [
    h('span', { class: 'mp-mini', 'aria-hidden': 'true' }, h('span')),
    h('span', { class: 'mp-mini-text' }),
  ]);
  setAttribute(cell, 'class', `mp-num mp-barred ${kind}`);
  const bar = track?.firstElementChild;
  const width = `${(100 * Math.max(0, Math.min(1, share))).toFixed(1)}%`;
  if (bar instanceof HTMLElement && bar.style.width !== width) bar.style.width = width;
  if (number) setText(number, text);
}

function drawProgress(cell: HTMLElement, { row }: NodeEntry): void {
  drawBar(cell, percent(row.done), row.done ?? 0, 'mp-tone-busy');
}

function drawSeconds(cell: HTMLElement, { row }: NodeEntry, { max, slow }: Pace): void {
  const seconds = row.seconds ?? 0;
  const straggles = seconds > slow;
  const text = `${straggles ? '⚠ ' : ''}${duration(row.seconds)}`;
  drawBar(cell, text, max ? seconds / max : 0, straggles ? 'mp-tone-warn' : 'mp-tone-calm');
}

function drawError(cell: HTMLElement, { row }: NodeEntry): void {
  setAttribute(cell, 'class', row.error ? 'mp-bad-text' : '');
  setText(cell, row.error);
}

function drawMenu(cell: HTMLElement, { id }: NodeEntry): void {
  const [button] = within(cell, () => [
    h('button', { type: 'button', class: 'mp-more', tabindex: -1, 'aria-haspopup': 'menu' }, '⋮'),
  ]);
  setAttribute(cell, 'class', 'mp-menu-cell');
  if (button) setAttribute(button, 'aria-label', `Actions for ${id}`);
}
