/** Why a run failed: everything that is known, in sight without opening anything. */
import { copyFrom } from './clip';
import { fill, h, show } from './dom';
import type { RunError } from './protocol';

export interface FailureBox {
  readonly el: HTMLElement;
  update(error: RunError | null): void;
}

export function failureBox(): FailureBox {
  const el = h('div', { class: 'mp-failure', role: 'alert', hidden: true });
  let shown = '';
  return {
    el,
    update(error): void {
      const now = JSON.stringify(error);
      if (now === shown) return;
      shown = now;
      show(el, error !== null);
      fill(el, ...(error ? parts(error) : []));
    },
  };
}

/** The error as one text, for a message to somebody else. */
export function errorText({ message, node, task, where, traceback, output }: RunError): string {
  const place = facts({ node, task, where }).map(([name, text]) => `${name}: ${text}`);
  return [message, ...place, traceback ?? '', ...(output.length ? ['last output:', ...output] : [])]
    .filter(Boolean)
    .join('\n');
}

function facts({ node, task, where }: Pick<RunError, 'node' | 'task' | 'where'>): [string, string][] {
  const known: [string, string | null][] = [
    ['node', node],
    ['task', task],
    ['where', where],
  ];
  return known.filter((pair): pair is [string, string] => Boolean(pair[1]));
}

function parts(error: RunError): HTMLElement[] {
  const button = h('button', { type: 'button', class: 'mp-button' }, 'Copy error');
  button.addEventListener('click', () => {
    void copyFrom(button, errorText(error));
  });
  const heading = h(
    'div',
    { class: 'mp-failure-head' },
    h('span', { class: 'mp-failure-sign', 'aria-hidden': 'true' }, '✗'),
    h('strong', { class: 'mp-failure-text' }, error.message || 'The run failed.'),
    button,
  );
  const place = facts(error).map(([name, text]) =>
    h(
      'div',
      { class: 'mp-fact' },
      h('div', { class: 'mp-fact-name' }, name),
      h('div', { class: 'mp-fact-text' }, text),
    ),
  );
  const found: HTMLElement[] = [heading];
  if (place.length) found.push(h('div', { class: 'mp-facts' }, ...place));
  if (error.traceback) found.push(listing('Traceback', error.traceback));
  if (error.output.length) found.push(listing('Last output of the node', error.output.join('\n')));
  return found;
}

function listing(title: string, text: string): HTMLElement {
  return h(
    'div',
    { class: 'mp-listing' },
    h('div', { class: 'mp-label' }, title),
    h('pre', { class: 'mp-pre', tabindex: 0, role: 'region', 'aria-label': title }, text),
  );
}
