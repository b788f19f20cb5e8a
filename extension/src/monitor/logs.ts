/** The log of a run: follows the newest line, filtered by node, task, level and text. */
import { copyFrom, downloadText } from './clip';
import { h, setText, show } from './dom';
import { count, integer } from './format';
import { LogBuffer, lineText } from './logbuffer';
import { LogFilters } from './logfilters';
import { LogList } from './loglist';
import type { Kernel, MakePanel, Panel } from './panel';
import type { LogsAnswer } from './protocol';
import { type Section, type State, logRow } from './store';

const EARLIER = 300;

class LogsPanel implements Panel {
  readonly el: HTMLElement;
  private readonly buffer = new LogBuffer();
  private readonly filters: LogFilters;
  private readonly list: LogList;
  private readonly detail = h('pre', {
    class: 'mp-detail',
    hidden: true,
    tabindex: 0,
    'aria-label': 'The whole line',
  });
  private readonly earlier: HTMLButtonElement;
  private readonly said = h('span', { class: 'mp-count', role: 'status' });
  private readonly empty = h('p', { class: 'mp-empty' }, 'No log lines yet.');
  private state: State | null = null;

  constructor(private readonly kernel: Kernel) {
    this.filters = new LogFilters((filter) => {
      this.buffer.setFilter(filter);
      this.draw();
      this.list.toNewest();
    });
    this.list = new LogList((row) => {
      setText(this.detail, lineText(row));
      show(this.detail, true);
    });
    this.earlier = button('Load earlier', () => {
      void this.loadEarlier();
    });
    const copy = button('Copy', () => {
      void copyFrom(copy, this.text());
    });
    const save = button('Download', () => {
      downloadText(`${this.state?.run?.run_id ?? 'run'}.log`, this.text());
    });
    const bar = h('div', { class: 'mp-bar' }, this.filters.el, this.said, this.earlier, copy, save);
    this.el = h('section', { class: 'mp', 'aria-label': 'Logs' }, bar, this.list.el, this.empty, this.detail);
  }

  update(state: State, changed: ReadonlySet<Section>): void {
    const first = this.state === null;
    this.state = state;
    if (!first && !changed.has('logs') && !changed.has('names')) return;
    this.buffer.take(state.logs);
    this.filters.offer(state.nodeNames, state.taskNames, this.buffer.levels);
    this.draw();
  }

  dispose(): void {
    this.list.dispose();
  }

  private draw(added = 0): void {
    const rows = this.buffer.listed();
    const skipped = this.state?.logs.skipped ?? 0;
    const left = skipped ? ` · ${integer(skipped)} skipped` : '';
    setText(this.said, `${count(rows.length, 'line')}${left}`);
    this.said.title = skipped ? 'Lines that came faster than they can be shown; run.logs has them' : '';
    show(this.earlier, this.buffer.hasEarlier && !this.kernel.absent);
    show(this.list.el, rows.length > 0);
    show(this.empty, rows.length === 0);
    setText(
      this.empty,
      this.filters.active ? 'No line that is here passes the filters.' : 'No log lines yet.',
    );
    this.list.put(rows, added);
  }

  private async loadEarlier(): Promise<void> {
    const { state, kernel, buffer } = this;
    if (!state) return;
    this.earlier.disabled = true;
    try {
      const wanted = this.filters.wanted();
      const answer = await kernel.ask({ op: 'logs', ...wanted, before: buffer.start, limit: EARLIER });
      if (!answer.ok || !('rows' in answer)) return;
      const { rows, first, more } = answer as LogsAnswer;
      const same = JSON.stringify(wanted) === JSON.stringify(this.filters.wanted());
      if (same) this.draw(buffer.prepend(rows.map((cells) => logRow(state, cells)), first, more)); // prettier-ignore
    } finally {
      this.earlier.disabled = false;
    }
  }

  private text(): string {
    return this.buffer.listed().map(lineText).join('\n');
  }
}

function button(text: string, click: () => void): HTMLButtonElement {
  return h('button', { type: 'button', class: 'mp-button', on: { click } }, text);
}

export const logsPanel: MakePanel = (kernel) => new LogsPanel(kernel);
