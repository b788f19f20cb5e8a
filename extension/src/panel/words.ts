/** What the sidebar and the status bar say, as functions of what is known. */
import type { Known } from '../link/link';
import { count, integer } from '../monitor/format';
import type { NodeRow, RunRow } from '../protocol';

const STATUS: Record<RunRow['status'], string> = {
  pending: 'Pending',
  running: 'Running',
  stopping: 'Stopping',
  completed: 'Completed',
  stopped: 'Stopped',
  failed: 'Failed',
  interrupted: 'Interrupted',
};

export function statusWord(status: RunRow['status']): string {
  return STATUS[status] ?? status;
}

/** Whether it goes on, here or in another kernel. */
export function isActive({ status }: RunRow): boolean {
  return status === 'pending' || status === 'running' || status === 'stopping';
}

/** `3/20`, `3` without a limit */
export function progress({ iteration, iterations }: RunRow): string {
  return iterations ? `${integer(iteration)}/${integer(iterations)}` : integer(iteration);
}

/** `3 of 20 iterations`, `3 iterations` */
export function iterationsOf({ iteration, iterations }: RunRow): string {
  return iterations
    ? `${integer(iteration)} of ${count(iterations, 'iteration')}`
    : count(iteration, 'iteration');
}

/** `just now`, `5 min ago`, `3 h ago`, `yesterday`, `12 Mar`, `12 Mar 2024`; times in seconds since 1970. */
export function ago(then: number, now: number): string {
  if (!Number.isFinite(then) || then <= 0) return '';
  const seconds = Math.max(0, now - then);
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  const [day, today] = [new Date(then * 1000), new Date(now * 1000)];
  const days = Math.round((midnight(today) - midnight(day)) / 86_400_000);
  if (days === 0) return `${Math.floor(seconds / 3600)} h ago`;
  if (days === 1) return 'yesterday';
  const year = day.getFullYear() === today.getFullYear() ? '' : ` ${day.getFullYear()}`;
  return `${day.getDate()} ${day.toLocaleString('en', { month: 'short' })}${year}`;
}

function midnight(day: Date): number {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime();
}

/** What is out of the ordinary with a node: `frozen`, `lost`, `3× slower`; "" */
export function flagOf({ state, factor }: NodeRow): string {
  if (state === 'frozen' || state === 'lost' || state === 'closed') return state;
  return Number.isFinite(factor) && factor > 1 ? `${Number(factor.toPrecision(2))}× slower` : '';
}

/** All training samples of a node; null where none are known. */
export function samplesOf({ data }: NodeRow): number | null {
  const known = (Array.isArray(data) ? data : [])
    .map(({ samples }) => samples)
    .filter((samples) => typeof samples === 'number');
  return known.length ? known.reduce((sum, samples) => sum + samples, 0) : null;
}

/** `8 nodes · fl 3/20`, `8 nodes`; "" where there is nothing to say. */
export function statusLine({ session, runs }: Known): string {
  const nodes = session ? count(session.total, 'node') : '';
  const run = runs.find((each) => each.live && isActive(each));
  return [nodes, run && `${run.name} ${progress(run)}`].filter(Boolean).join(' · ');
}

/** Why a monitor in a tab of its own draws no more; `linked`: a notebook still has the kernel that made it. */
export function lastWords(gone: boolean, linked: boolean): string {
  const why = gone
    ? 'The kernel of this run has ended'
    : linked
      ? "This run's kernel has let go of manta_nb"
      : "The notebook that had this run's kernel is closed or has another one";
  return `${why}: this is what was drawn last. The sidebar opens it again.`;
}
