/** What the badge of a cell says: from the cell and from what its kernel knows, and from nothing else. */
import { isActive, progress } from '../panel/words';
import type { CellRow, ModuleRow, RunRow } from '../protocol';
import type { Magic } from './magic';

/** What the badge looks like. */
export type Look =
  | 'defined'
  | 'differs'
  | 'refused'
  | 'replaced'
  | 'pending'
  | 'running'
  | 'stopping'
  | 'completed'
  | 'stopped'
  | 'interrupted'
  | 'failed';

/** Where a click leads. */
export type Target =
  | { readonly to: 'cell'; readonly cell: string; readonly line: number | null }
  | { readonly to: 'run'; readonly run: string }
  | { readonly to: 'modules' };

export interface Badge {
  readonly look: Look;
  /** a few words */
  readonly text: string;
  /** the tooltip: lines of text */
  readonly title: string;
  /** of the iterations, from 0 to 1; null: not known, or not running */
  readonly progress: number | null;
  readonly target: Target;
}

/** A cell of ours, as the page has it. */
export interface CellNow {
  readonly id: string;
  readonly magic: Magic;
  /** of the text below the magic line */
  readonly digest: string;
  /** the n of its In[n]; null where it has not run */
  readonly count: number | null;
}

/** The part of what a kernel knows that badges are about. */
export interface Facts {
  readonly modules: readonly ModuleRow[];
  readonly runs: readonly RunRow[];
}

/** The badge of a cell; null where there is nothing to say. `exists`: whether the notebook has a cell of that id. */
export function badgeOf(cell: CellNow, facts: Facts, exists: (id: string) => boolean): Badge | null {
  return cell.magic.kind === 'module' ? moduleBadge(cell, facts, exists) : runBadge(cell, facts, exists);
}

/** Names a failure: a run that goes on and fails again fails anew. */
export function failureKey({ run_id, iteration }: RunRow): string {
  return `${run_id} ${iteration}`;
}

/** The run that failed in this text of this cell, but for failures that were `dropped`; null where there is none. */
export function failureIn(cell: CellNow, facts: Facts, dropped?: ReadonlySet<string>): RunRow | null {
  const row = facts.modules.flatMap((module) => module.cells).find((each) => each.cell === cell.id);
  if (row && row.digest !== cell.digest) return null;
  return failureOf(cell.id, row?.number ?? cell.count, facts, dropped);
}

/** The same for any cell whose text is that of In[`count`]. */
export function failureOf(
  id: string,
  count: number | null,
  facts: Facts,
  dropped: ReadonlySet<string> = new Set(),
): RunRow | null {
  const about = (run: RunRow): boolean =>
    run.status === 'failed' && run.live && run.failure?.cell === id && sameRun(run.failure.where, count);
  // first what is quick: most cells have none
  const found = id ? facts.runs.filter(about) : [];
  return found.find((run) => !dropped.has(failureKey(run)) && isLatest(run, facts.runs)) ?? null;
}

// -- modules -----------------------------------------------------------------------------------------------------

function moduleBadge(cell: CellNow, facts: Facts, exists: (id: string) => boolean): Badge | null {
  const { names, file } = cell.magic;
  const rows = names.map((name) => facts.modules.find((module) => module.name === name));
  const refused = rows.find((row) => row?.refused === cell.id && row.error);
  if (refused) return badge('refused', `${refused.name} refused`, refused.error, { to: 'modules' });
  const pairs = rows.map((row) => row && paired(row, file));
  const [first] = pairs;
  if (!first || !pairs.every((pair) => pair !== undefined)) return null;
  const { module, row } = first;
  const versions = pairs.map((pair) => `${pair.module.name} v${pair.module.revision}`).join(', ');
  const about = [versions, file && `${file} of the module`, module.text].filter(Boolean).join('\n');
  const elsewhere = row.cell !== '' && row.cell !== cell.id && exists(row.cell);
  if (elsewhere) return cell.count === null ? null : replaced(cell, row, about);
  if (row.digest !== cell.digest) return differs(row.cell === cell.id || row.cell === '', versions, row);
  const failed = failureIn(cell, facts);
  if (failed?.failure) return failedHere(failed, cell.id);
  return badge('defined', versions, `${about}\nIn[${row.number}]`, { to: 'modules' });
}

function paired(module: ModuleRow, file: string): { module: ModuleRow; row: CellRow } | undefined {
  const row = module.cells.find((each) => each.file === file);
  return row && { module, row };
}

function replaced(cell: CellNow, row: CellRow, about: string): Badge {
  const text = cell.digest === row.digest ? `same as In[${row.number}]` : `replaced by In[${row.number}]`;
  return badge('replaced', text, `${about}\ndefined by the cell In[${row.number}]`, toCell(row.cell, null));
}

function differs(known: boolean, versions: string, row: CellRow): Badge | null {
  if (!known) return null;
  const title = `Runs use ${versions}, the text that In[${row.number}] had.\nRun this cell to put its text in its place.`;
  return badge('differs', `differs from ${versions}`, title, { to: 'modules' });
}

function failedHere(run: RunRow, id: string): Badge {
  const { node = '', line = null, message = '', task = '' } = run.failure ?? {};
  const place = [node && `on ${node}`, line !== null && `line ${line}`].filter(Boolean).join(', ');
  const title = [`${run.word || run.name}: ${task} failed ${place}`, message].join('\n');
  return badge('failed', `failed ${place}`.trim(), title, toCell(id, line));
}

// -- runs --------------------------------------------------------------------------------------------------------

function runBadge(cell: CellNow, facts: Facts, exists: (id: string) => boolean): Badge | null {
  const [name] = cell.magic.names;
  const run = facts.runs.find(
    (each) =>
      each.live &&
      each.name === name &&
      (each.cell === cell.id || (each.digest === cell.digest && !(each.cell && exists(each.cell)))),
  );
  if (!run) return null;
  const active = isActive(run);
  const changed = run.digest !== '' && run.digest !== cell.digest;
  const count = progress(run);
  const word = active ? count : `${run.status} · ${count}`;
  const title = [
    `${run.word || run.name} ${run.status}, ${count} iterations`,
    run.reason,
    run.best,
    run.note,
  ];
  if (run.failure) title.push(where(run));
  if (changed) title.push('The text of this cell is another one since: run it for a new run.');
  const { failure, run_id } = run;
  const failed = run.status === 'failed' && failure?.cell && failure.cell !== cell.id && exists(failure.cell);
  return {
    look: changed && !active ? 'differs' : run.status,
    text: changed ? `${run.name} ${word} · text differs` : `${run.name} ${word}`,
    title: title.filter(Boolean).join('\n'),
    progress: active && run.iterations ? Math.min(1, run.iteration / run.iterations) : null,
    target: failed ? toCell(failure.cell, failure.line) : { to: 'run', run: run_id },
  };
}

function where(run: RunRow): string {
  const { node = '', task = '', where: place = '', message = '' } = run.failure ?? {};
  return `${[node, task, place].filter(Boolean).join(', ')}: ${message}`;
}

/** Whether no later run has its name: what an earlier one failed by is history. */
function isLatest(run: RunRow, runs: readonly RunRow[]): boolean {
  return runs.find(({ name, live }) => live && name === run.name) === run;
}

/** Whether `Cell In[3], line 4` is about the text that ran as In[`count`]; so it is where one of them is unknown. */
function sameRun(place: string, count: number | null): boolean {
  const found = /\bIn\[(\d+)\]/.exec(place);
  return !found || count === null || Number(found[1]) === count;
}

function toCell(cell: string, line: number | null): Target {
  return { to: 'cell', cell, line };
}

function badge(look: Look, text: string, title: string, target: Target): Badge {
  return { look, text, title: title.trim(), progress: null, target };
}
