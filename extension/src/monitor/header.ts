/** The head of the monitor: how the run stands, in words and a bar, and its button. */
import { h, setAttribute, setText, show } from './dom';
import { bytes, clock, duration, integer } from './format';
import type { Kernel } from './panel';
import type { RunInfo, Told } from './protocol';
import type { Section, State } from './store';

const STATUS: Record<RunInfo['status'], string> = {
  pending: 'Pending',
  running: 'Running',
  stopping: 'Stopping',
  completed: 'Completed',
  stopped: 'Stopped',
  failed: 'Failed',
  interrupted: 'Interrupted',
};

const TOAST_MS = 8000;

/** A number under its name; `detail` is what is said of it in small letters. */
class Figure {
  readonly el: HTMLElement;
  private readonly value = h('div', { class: 'mm-figure-value' });
  private readonly detail = h('div', { class: 'mm-figure-detail' });

  constructor(name: string) {
    this.el = h(
      'div',
      { class: 'mm-figure' },
      h('div', { class: 'mm-figure-name' }, name),
      this.value,
      this.detail,
    );
  }

  show(value: string, detail = ''): void {
    setText(this.value, value);
    setText(this.detail, detail);
  }
}

export class Header {
  readonly el: HTMLElement;
  private readonly name = h('h3', { class: 'mm-name' });
  private readonly id = h('span', { class: 'mm-id', title: 'Run id' });
  private readonly pill = h('span', { class: 'mm-pill' }, h('i', { class: 'mm-dot' }), h('span'));
  private readonly reason = h('span', { class: 'mm-reason' });
  private readonly note = h('p', { class: 'mm-note' });
  private readonly button = h('button', { class: 'mm-button', type: 'button' });
  private readonly hint = h('span', { class: 'mm-hint' });
  private readonly bar = h('div', {
    class: 'mm-bar',
    role: 'progressbar',
    'aria-label': 'Iterations',
    'aria-valuemin': 0,
  });
  private readonly toast = h('p', { class: 'mm-toast', role: 'status' });
  private readonly spoken = h('p', { class: 'mm-unseen', role: 'status' });
  private readonly iteration = new Figure('Iteration');
  private readonly elapsed = new Figure('Elapsed');
  private readonly nodes = new Figure('Nodes');
  private readonly moved = new Figure('Moved');
  private readonly ticking: ReturnType<typeof setInterval> | undefined;
  private state: State | null = null;
  private asked: 'stop' | 'resume' | null = null;
  private toasting: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly kernel: Kernel) {
    this.bar.append(h('div', { class: 'mm-bar-done' }), h('div', { class: 'mm-bar-now' }));
    this.button.addEventListener('click', () => this.press());
    const figures = [this.iteration, this.elapsed, this.nodes, this.moved].map((figure) => figure.el);
    this.el = h(
      'header',
      { class: 'mm-header' },
      h(
        'div',
        { class: 'mm-head' },
        h(
          'div',
          { class: 'mm-who' },
          h('div', { class: 'mm-title' }, this.name, this.id),
          h('div', { class: 'mm-how' }, this.pill, this.reason),
        ),
        h('div', { class: 'mm-act' }, this.button, this.hint),
      ),
      this.bar,
      h('div', { class: 'mm-figures' }, ...figures),
      this.note,
      this.toast,
      this.spoken,
    );
    if (!kernel.absent) this.ticking = setInterval(() => this.tick(), 500);
    this.waiting();
  }

  update(state: State, changed: ReadonlySet<Section>): void {
    this.state = state;
    const { run } = state;
    if (!run || !changed.has('run')) return;
    this.who(run);
    this.progress(run);
    this.alive(run);
    this.moved.show(bytes(run.bytes_moved), run.finished ? '' : `last +${bytes(run.bytes_iteration)}`);
    this.tick();
    this.control(run);
  }

  /** One line that the kernel says of a command; it stays for a while. */
  told({ ok, text }: Told): void {
    setText(this.toast, text);
    this.toast.classList.toggle('mm-refused', !ok);
    if (!ok) this.asked = null;
    if (this.state?.run) this.control(this.state.run);
    clearTimeout(this.toasting);
    this.toasting = setTimeout(() => setText(this.toast, ''), TOAST_MS);
  }

  dispose(): void {
    clearInterval(this.ticking);
    clearTimeout(this.toasting);
  }

  private waiting(): void {
    setText(this.name, 'Run');
    this.status('pending', 'Connecting');
    setText(this.reason, 'waiting for the kernel; it answers when it is not busy');
    this.iteration.show('–');
    this.elapsed.show('–');
    this.nodes.show('–');
    this.moved.show('–');
    show(this.button, false);
    show(this.note, false);
  }

  private who(run: RunInfo): void {
    setText(this.name, run.name || 'run');
    setText(this.id, run.run_id.slice(0, 8));
    this.status(run.status, STATUS[run.status] ?? run.status);
    setText(this.reason, run.reason || run.error);
    this.reason.title = run.reason || run.error;
    setText(this.note, run.note);
    show(this.note, run.note !== '');
  }

  private status(status: string, text: string): void {
    if (this.pill.dataset.status !== status) setText(this.spoken, `Run ${text.toLowerCase()}`);
    this.pill.dataset.status = status;
    setText(this.pill.lastElementChild ?? this.pill, text);
  }

  private alive({ nodes_alive: alive, nodes_total: total }: RunInfo): void {
    // nobody knows how they are now
    if (this.kernel.absent) {
      this.nodes.show(integer(total));
      return;
    }
    const away = alive < total ? `${integer(total - alive)} away` : 'all alive';
    // thousands would not stand in one line beside their total
    if (total < 1000) this.nodes.show(`${integer(alive)} of ${integer(total)}`, away);
    else this.nodes.show(integer(alive), alive < total ? `of ${integer(total)}, ${away}` : away);
  }

  private progress(run: RunInfo): void {
    const { iteration, iterations } = run;
    const total = iterations ?? 0;
    const value = total ? `${integer(iteration)} of ${integer(total)}` : integer(iteration);
    const running =
      run.running_iteration === null || run.finished
        ? ''
        : `running iteration ${integer(run.running_iteration)}`;
    this.iteration.show(value, running || 'committed');
    const share = total ? Math.min(100, (100 * iteration) / total) : run.finished ? 100 : 0;
    this.bar.style.setProperty('--mm-done', `${share}%`);
    this.bar.style.setProperty('--mm-next', `${total ? 100 / total : 100}%`);
    this.bar.dataset.status = run.status;
    setAttribute(this.bar, 'aria-valuemax', total || null);
    setAttribute(this.bar, 'aria-valuenow', total ? iteration : null);
    setAttribute(this.bar, 'aria-valuetext', `${value} iterations committed`);
  }

  /** Time goes on between two messages. */
  private tick(): void {
    const run = this.state?.run;
    if (!run) return;
    const since =
      run.finished || run.status === 'pending'
        ? 0
        : (performance.now() - (this.state?.runReceived ?? 0)) / 1000;
    const left = run.left === null || run.finished ? null : Math.max(0, run.left - since);
    this.elapsed.show(
      clock(run.elapsed + since),
      left === null
        ? ''
        : left < 1
          ? 'almost done'
          : `about ${left < 10 ? `${Math.ceil(left)} s` : duration(left)} left`,
    );
  }

  private control(run: RunInfo): void {
    if (this.asked === 'stop' && (run.status === 'stopping' || run.finished)) this.asked = null;
    if (this.asked === 'resume' && !run.finished) this.asked = null;
    const resume = run.can_resume && !run.can_stop;
    const able = run.controls !== 'none' && (run.can_stop || run.can_resume) && this.asked === null;
    show(this.button, run.can_stop || run.can_resume || !run.finished);
    setText(this.button, buttonLabel(run, resume, this.asked));
    setAttribute(this.button, 'disabled', !able);
    this.button.dataset.kind = resume ? 'resume' : 'stop';
    setText(this.hint, hint(run));
  }

  private press(): void {
    const run = this.state?.run;
    if (!run) return;
    this.asked = run.can_stop ? 'stop' : 'resume';
    this.kernel.send({ op: this.asked });
    this.control(run);
  }
}

function buttonLabel(run: RunInfo, resume: boolean, asked: 'stop' | 'resume' | null): string {
  if (asked === 'resume') return 'Resuming…';
  if (asked === 'stop' || run.status === 'stopping') return 'Stopping…';
  return resume ? 'Resume' : 'Stop';
}

/** When the button acts, or why it cannot. */
function hint(run: RunInfo): string {
  if (run.controls === 'none') return 'no kernel: this is what was kept';
  if (run.status === 'stopping') return 'after this iteration';
  if (run.controls === 'after-cell') return 'acts when the running cell ends';
  return '';
}
