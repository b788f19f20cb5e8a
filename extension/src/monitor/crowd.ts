/** All nodes at one look: how many are in which state, each as a square, and the extremes of very many. */
import { fill, h, setAttribute, show } from './dom';
import { duration, integer, number } from './format';
import { NODE_MARKS, nodeMark } from './marks';
import type { Crowd } from './protocol';

const ORDER = Object.keys(NODE_MARKS);
/** more squares than this tell nothing */
const SQUARES = 200;

export type Counts = ReadonlyMap<string, number>;

/** In the order of the legend, without those that are none. */
export function countStates(states: Iterable<string>): Counts {
  const counts = new Map<string, number>();
  for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1);
  return inOrder(counts);
}

export function inOrder(counts: Iterable<readonly [string, number]>): Counts {
  const known = [...counts].filter(([, n]) => n > 0);
  const rank = (state: string): number => (ORDER.includes(state) ? ORDER.indexOf(state) : ORDER.length);
  return new Map(known.sort(([a], [b]) => rank(a) - rank(b)));
}

/** `5 running, 2 done, 1 failed` */
export function statesText(counts: Counts): string {
  return [...counts].map(([state, n]) => `${integer(n)} ${nodeMark(state).word}`).join(', ');
}

/** A stacked bar and its legend in words. */
export class StateBar {
  readonly el: HTMLElement;
  private readonly bar = h('div', { class: 'mp-stack', role: 'img' });
  private readonly legend = h('div', { class: 'mp-legend' });
  private shown = '';

  constructor() {
    this.el = h('div', { class: 'mp-states', hidden: true }, this.bar, this.legend);
  }

  update(counts: Counts): void {
    const text = statesText(counts);
    if (text === this.shown) return;
    this.shown = text;
    show(this.el, counts.size > 0);
    setAttribute(this.bar, 'aria-label', `Nodes: ${text}`);
    const parts = [...counts].map(([state, n]) =>
      h('span', {
        class: `mp-fill mp-tone-${nodeMark(state).tone} mp-node-${state}`,
        style: { 'flex-grow': String(n) },
      }),
    );
    const words = [...counts].map(([state, n]) => {
      const { sign, word, tone } = nodeMark(state);
      const badge = h('span', { class: 'mp-badge', 'aria-hidden': 'true' }, sign);
      return h('span', { class: `mp-entry mp-tone-${tone}` }, badge, `${integer(n)} ${word}`);
    });
    fill(this.bar, ...parts);
    fill(this.legend, ...words);
  }
}

export interface Square {
  readonly id: string;
  readonly state: string;
}

/** One small square per node. */
export class Strip {
  readonly el = h('div', { class: 'mp-strip', role: 'img', hidden: true });
  private readonly squares: HTMLElement[] = [];

  update(nodes: readonly Square[]): void {
    show(this.el, nodes.length > 1 && nodes.length <= SQUARES);
    if (this.el.hidden) return;
    setAttribute(
      this.el,
      'aria-label',
      `Every node: ${statesText(countStates(nodes.map(({ state }) => state)))}`,
    );
    while (this.squares.length < nodes.length) {
      const square = h('span');
      this.squares.push(square);
      this.el.append(square);
    }
    for (const extra of this.squares.splice(nodes.length)) extra.remove();
    nodes.forEach(({ id, state }, at) => {
      const square = this.squares[at];
      if (!square) return;
      const { tone, word } = nodeMark(state);
      setAttribute(square, 'class', `mp-square mp-tone-${tone} mp-node-${state}`);
      setAttribute(square, 'title', `${id}: ${word}`);
    });
  }
}

/** The slowest and the failed of very many nodes. */
export class Extremes {
  readonly el = h('div', { class: 'mp-extremes', hidden: true });
  private shown = '';

  update(crowd: Crowd | null): void {
    const now = JSON.stringify(crowd && [crowd.slowest, crowd.failed, crowd.seconds]);
    if (now === this.shown) return;
    this.shown = now;
    show(this.el, crowd !== null);
    if (!crowd) return;
    const { min, median, max } = crowd.seconds;
    const spread = `seconds: min ${precise(min)} · median ${precise(median)} · max ${precise(max)}`;
    const slowest = crowd.slowest.map(([id, seconds]) => pair(id, precise(seconds), max ? seconds / max : 0));
    const failed = crowd.failed.map(([id, error]) => pair(id, error, null));
    fill(
      this.el,
      slowest.length ? list(`Slowest nodes, ${spread}`, slowest) : null,
      failed.length ? list('Last failures', failed) : null,
    );
  }
}

/** The slowest differ by little. */
function precise(seconds: number): string {
  return seconds < 60 ? `${number(seconds, 3)} s` : duration(seconds);
}

function list(title: string, rows: HTMLElement[]): HTMLElement {
  return h(
    'div',
    { class: 'mp-extreme' },
    h('div', { class: 'mp-label' }, title),
    h('ol', { class: 'mp-list' }, ...rows),
  );
}

/** With a bar for a number, without one for a text. */
function pair(id: string, text: string, share: number | null): HTMLElement {
  const name = h('span', { class: 'mp-strong mp-cut', title: id }, id);
  if (share === null) return h('li', {}, name, h('span', { class: 'mp-bad-text mp-cut', title: text }, text));
  const bar = h('span', { style: { width: `${(100 * share).toFixed(1)}%` } });
  return h(
    'li',
    {},
    name,
    h('span', { class: 'mp-mini mp-tone-warn', 'aria-hidden': 'true' }, bar),
    h('span', { class: 'mp-took-text' }, text),
  );
}
