/** A saved run as the monitor's state: every field is checked, what cannot be read is left out and said. */
import { logRow } from '../monitor/records';
import type { EventRow } from '../monitor/records';
import type { Bend, Graph, RunInfo, RunStatus, TaskRow, TaskState } from '../monitor/protocol';
import { emptyState } from '../monitor/store';
import type { State } from '../monitor/store';
import { fields, finite, list, size, table, text, whole } from './checks';
import type { Fields } from './checks';
import { addMetrics } from './curves';

/** The only version there is; a larger one was written by a newer manta_nb. */
export const VERSION = 1;

/** The tables of a saved run, of which the last rows or the first ones may have been left out. */
export type TableName = 'nodes' | 'globals' | 'results' | 'logs' | 'events';

export interface Saved {
  readonly state: State;
  /** how many rows the notebook does not have */
  readonly more: Readonly<Record<TableName, number>>;
  /** seconds since 1970; null where that is not known */
  readonly started: number | null;
  readonly seed: number | null;
  /** what could not be read */
  readonly unread: readonly string[];
}

/** More tasks than anybody draws; a graph of more is left out. */
const MOST_TASKS = 200;
const MOST_LAYERS = 200;
const MOST_ROWS = 2000;
const TRACE = 8000;

/** The run, or one line that says why there is none to draw. */
export function read(value: unknown): Saved | string {
  const told = fields(value);
  const run = fields(told?.run);
  if (!told) return 'What this notebook keeps of the run cannot be read.';
  const version = finite(told.version);
  if (version !== null && version > VERSION)
    return `This run was saved by a newer manta_nb (version ${version} of its form): pip install --upgrade manta-nb`;
  if (version !== VERSION || !run) return 'What this notebook keeps of the run cannot be read.';
  const state = emptyState();
  state.known = true;
  state.seq = 1;
  const more = addTables(told, state);
  const unread = ['nodes', 'globals', 'results', 'logs', 'events'].filter((name) => damaged(told[name]));
  if (addMetrics(told.metrics, state, whole(run.nodes))) unread.unshift('metrics');
  state.run = infoOf(run, state);
  state.graph = graphOf(told.graph);
  if (told.graph && !state.graph) unread.unshift('graph');
  state.tasks = list(told.tasks, MOST_TASKS).flatMap(taskOf);
  state.error = errorOf(told.failure, text(run.error, TRACE));
  return { state, more, started: finite(run.started), seed: finite(run.seed), unread };
}

function damaged(value: unknown): boolean {
  return value !== undefined && !Array.isArray(fields(value)?.rows);
}

const OVER: readonly string[] = ['completed', 'stopped', 'failed', 'interrupted'] satisfies RunStatus[];

/** A run that is over, whatever else is said of it. */
function infoOf(run: Fields, { lines, nodeNames }: State): RunInfo {
  const nodes = whole(run.nodes) ?? nodeNames.length;
  const status = OVER.includes(text(run.status)) ? (run.status as RunStatus) : 'interrupted';
  return {
    run_id: text(run.run_id, 100),
    name: text(run.name, 100),
    status,
    reason: text(run.reason),
    error: text(run.error),
    iteration: whole(run.iteration) ?? 0,
    iterations: whole(run.iterations),
    running_iteration: null,
    started: finite(run.started),
    elapsed: Math.min(1e9, size(run.elapsed)),
    left: null,
    finished: true,
    seed: finite(run.seed),
    bytes_moved: size(run.bytes_moved),
    bytes_iteration: 0,
    nodes_alive: nodes,
    nodes_total: nodes,
    many: lines.metrics.size === 0 && nodes > 1,
    controls: 'live',
    can_stop: false,
    can_resume: false,
    note: '',
  };
}

function taskOf(value: unknown): TaskRow[] {
  const told = fields(value);
  const alias = text(told?.alias, 100);
  if (!told || !alias) return [];
  const states: readonly string[] = ['pending', 'running', 'done', 'failed'] satisfies TaskState[];
  const state = states.includes(text(told.state)) ? (told.state as TaskState) : 'pending';
  const [placed = 0, running = 0, done = 0, failed = 0] = ['placed', 'running', 'done', 'failed'].map(
    (name) => whole(told[name]) ?? 0,
  );
  return [{ alias, state, placed, planned: placed, running, done, failed, seconds: null, where: '' }];
}

/** The graph where all of it fits together, else null: half of one would be another one. */
function graphOf(value: unknown): Graph | null {
  const told = fields(value);
  if (!told || !Array.isArray(told.tasks) || told.tasks.length > MOST_TASKS) return null;
  const tasks = told.tasks.flatMap((each) => {
    const task = fields(each);
    const [alias, where] = [text(task?.alias, 100), placeOf(task)];
    return alias && where ? [{ alias, label: text(task?.label, 100) || alias, may_stop: task?.may_stop === true, ...where }] : []; // prettier-ignore
  });
  const known = new Set(tasks.map(({ alias }) => alias));
  if (!tasks.length || tasks.length < told.tasks.length || known.size < tasks.length) return null;
  const edges = list(told.edges, 4 * MOST_TASKS).flatMap((each): [string, string][] => {
    const [from, to] = list(each, 2).map((name) => text(name, 100));
    return from && to && known.has(from) && known.has(to) ? [[from, to]] : [];
  });
  const bends = list(told.bends, 4 * MOST_TASKS).flatMap((each): Bend[] => {
    const [bend, where] = [fields(each), placeOf(fields(each))];
    return where ? [{ source: text(bend?.source, 100), target: text(bend?.target, 100), ...where }] : [];
  });
  const all = [...tasks, ...bends];
  const layers = 1 + Math.max(...all.map(({ layer }) => layer));
  return { tasks, edges, bends, layers, height: 1 + Math.max(...all.map(({ row }) => row)) };
}

function placeOf(task: Fields | null): { layer: number; row: number } | null {
  const [layer, row] = [whole(task?.layer, MOST_LAYERS), whole(task?.row, MOST_ROWS)];
  return layer === null || row === null ? null : { layer, row };
}

function errorOf(value: unknown, error: string): State['error'] {
  const told = fields(value);
  if (!told && !error) return null;
  return {
    message: text(told?.message, TRACE) || error,
    node: text(told?.node, 100) || null,
    task: null,
    where: text(told?.where) || null,
    traceback: text(told?.traceback, TRACE) || null,
    output: list(told?.output, 50).map((line) => text(line)),
  };
}

/** Put the rows of the tables into the state; returns how many were left out. */
function addTables(told: Fields, state: State): Saved['more'] {
  const nodes = table(told.nodes);
  for (const row of nodes.rows) {
    const index = state.nodeNames.push(text(row.node, 100)) - 1;
    state.nodes.set(index, { ...IDLE, seconds: finite(row.seconds), bytesOut: finite(row.bytes_out) });
  }
  const globals = table(told.globals);
  state.globals = globals.rows.map((row) => ({
    tag: text(row.tag),
    iteration: whole(row.changed),
    type: text(row.type),
    nbytes: size(row.nbytes),
    version: 0,
    preview: '',
  }));
  const results = table(told.results);
  state.results = results.rows.map((row) => ({
    tag: text(row.tag),
    iteration: whole(row.iteration) ?? 0,
    nodes: whole(row.nodes) ?? 0,
    nbytes: size(row.nbytes),
    type: '',
  }));
  const [logs, events] = [table(told.logs), table(told.events)];
  const rows = logs.rows.map((row) =>
    logRow(state, [
      whole(row.iteration),
      text(row.node),
      text(row.task),
      text(row.level, 40),
      text(row.text),
    ]),
  );
  state.logs = { rows, first: logs.more, skipped: 0 };
  state.taskNames.push(...new Set(rows.map(({ task }) => task).filter(Boolean)));
  state.events = events.rows.map(eventOf);
  return { nodes: nodes.more, globals: globals.more, results: results.more, logs: logs.more, events: events.more }; // prettier-ignore
}

const IDLE = { state: 'idle', task: '', done: null, cpu: null, memory: null, bytesIteration: null, dataBytes: null, error: '', worker: '' } as const; // prettier-ignore

function eventOf(row: Fields): EventRow {
  return {
    iteration: whole(row.iteration),
    kind: text(row.kind, 40),
    message: text(row.message),
    node: text(row.node, 100),
    task: text(row.task, 100),
  };
}
