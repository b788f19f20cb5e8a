/** What is shown of one value: facts, numbers, the spread of an array, items of a dict, its text. */
import { h } from './dom';
import { bytes, count, number } from './format';
import { histogram } from './histogram';
import type { Stats, ValueAnswer } from './protocol';

export function refused(text: string): HTMLElement {
  return h('p', { class: 'mp-note' }, text);
}

export function partsOf(value: ValueAnswer): HTMLElement[] {
  const facts = h(
    'p',
    { class: 'mp-faint' },
    [value.type, shapeOf(value), bytes(value.nbytes)].filter(Boolean).join(' · '),
  );
  const found: HTMLElement[] = [facts];
  if (value.stats) found.push(statsOf(value.stats));
  if (value.histogram) found.push(histogram(value.histogram));
  if (value.items?.length) found.push(itemsOf(value.items));
  if (value.text)
    found.push(h('pre', { class: 'mp-pre', tabindex: 0, 'aria-label': 'The value as text' }, value.text));
  return found;
}

function shapeOf({ shape, dtype, type }: ValueAnswer): string {
  const sizes = shape && `shape (${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  return [
    dtype && !type.includes(dtype) && dtype,
    sizes && !type.includes(`(${(shape ?? []).join(', ')}`) && sizes,
  ]
    .filter(Boolean)
    .join(' · ');
}

function statsOf(stats: Stats): HTMLElement {
  const facts: [string, string, boolean][] = [
    ['min', number(stats.min), false],
    ['mean', number(stats.mean), false],
    ['max', number(stats.max), false],
    ['std', number(stats.std), false],
    ['zeros', number(stats.zeros), false],
    ['not finite', number(stats.nonfinite), stats.nonfinite > 0],
  ];
  const pair = ([name, text, bad]: [string, string, boolean]): HTMLElement =>
    h(
      'div',
      { class: bad ? 'mp-fact mp-bad' : 'mp-fact' },
      h('div', { class: 'mp-fact-name' }, name),
      h('div', { class: 'mp-fact-text' }, bad ? `⚠ ${text}` : text),
    );
  return h('div', { class: 'mp-facts' }, ...facts.map(pair));
}

function itemsOf(items: { path: string; type: string }[]): HTMLElement {
  const rows = items.map(({ path, type }) => h('tr', {}, h('th', { scope: 'row' }, path), h('td', {}, type)));
  const cut = items.length >= 50 ? ' (the first 50)' : '';
  const table = h(
    'table',
    { class: 'mp-items' },
    h('caption', {}, `${count(items.length, 'item')}${cut}`),
    h('tbody', {}, ...rows),
  );
  return h(
    'div',
    { class: 'mp-items-box', tabindex: 0, role: 'group', 'aria-label': 'Items of the value' },
    table,
  );
}
