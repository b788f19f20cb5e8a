/** Draws a saved run with the monitor's own parts; loaded when there is one to draw. */
import { addStyle } from '../styles';
import { Frame, STYLE } from '../monitor/frame';
import type { Source } from '../monitor/panel';
import type { Answer, Command, RunInfo } from '../monitor/protocol';
import type { State } from '../monitor/store';
import { savedParts } from './parts';
import { read } from './reading';
import type { Saved } from './reading';

/** A run that is drawn. */
export interface Drawn {
  readonly el: HTMLElement;
  /** Draw it anew: it has been out of sight. */
  refresh(): void;
  dispose(): void;
}

/** Draw a run, or say in one line why that cannot be. */
export function draw(data: unknown): Drawn | string {
  const saved = read(data);
  if (typeof saved === 'string') return saved;
  const { run } = saved.state;
  if (run) run.note = note(saved, run);
  // one sheet for all of them: a notebook may hold a hundred
  addStyle('saved', STYLE);
  const source = new Kept(saved.state);
  const frame = new Frame(source, savedParts(saved, source));
  frame.el.classList.add('mm-kept');
  frame.el.setAttribute('aria-label', `Run ${run?.name ?? ''}, as the notebook keeps it`);
  return frame;
}

/** Where it comes from, and how to get more than a notebook can keep. */
function note({ started, seed, unread }: Saved, { name, run_id }: RunInfo): string {
  const when = started === null || !(started > 0 && started < 1e11) ? '' : `started ${dateOf(started)}`;
  const facts = [when, seed === null ? '' : `seed ${seed}`].filter(Boolean).join(', ');
  const lines = [
    `Kept in this notebook${facts && `: ${facts}`}. %manta monitor ${wordOf(name, run_id)} opens the run itself, with its values.`,
  ];
  if (unread.length) lines.push(`Could not be read here: ${unread.join(', ')}.`);
  return lines.join('\n');
}

function dateOf(seconds: number): string {
  return new Date(1000 * seconds).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

/** What the line magic takes for this run: its name, or the id where the name is no plain word. */
function wordOf(name: string, id: string): string {
  return /^[\w.-]+$/.test(name) ? name : id.slice(0, 8) || 'fl';
}

/** The state of a run that is over, without a kernel. */
class Kept implements Source {
  readonly absent = true;

  constructor(readonly state: State) {}

  register(): () => void {
    return () => undefined;
  }

  send(): void {
    // nobody is there
  }

  ask(command: Command): Promise<Answer> {
    return Promise.resolve({ op: 'answer', ask: 0, ok: false, text: this.answer(command) });
  }

  private answer(command: Command): string {
    if (command.op !== 'value') return 'The notebook keeps no more of it.';
    const { name = '', run_id = '' } = this.state.run ?? {};
    const place = `${command.kind}s[${JSON.stringify(command.tag)}]`;
    return `The notebook keeps no values. With a kernel: manta_nb.runs[${JSON.stringify(name || run_id)}].${place}`;
  }
}
