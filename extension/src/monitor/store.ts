/** What the browser knows of a run: the messages of the kernel, added up. All views of a monitor share it. */
import { BandStore } from './bands';
import { LineStore } from './lines';
import { floats, ints } from './protocol';
import { disagreementRow, eventRow, logRow, nodeRow } from './records';
import type { DisagreementRow, EventRow, LogRow, NodeRow } from './records';

export { logRow, nodeRow } from './records';
export type { DisagreementRow, EventRow, LogRow, NodeRow } from './records';

import type {
  Block,
  Crowd,
  Extremes,
  GlobalChange,
  Graph,
  LogBlock,
  Metric,
  Names,
  ResultRow,
  RunError,
  RunInfo,
  TaskRow,
  Update,
} from './protocol';

export type Section = Exclude<keyof Update, 'op' | 'seq'>;

export interface State {
  seq: number;
  /** false until the first full message */
  known: boolean;
  run: RunInfo | null;
  /** `performance.now()` when `run` came; elapsed time goes on from there, whatever the kernel's clock says */
  runReceived: number;
  graph: Graph | null;
  tasks: TaskRow[];
  nodeNames: string[];
  taskNames: string[];
  metrics: Metric[];
  lines: LineStore;
  bands: BandStore;
  /** by index of the metric: the lowest and the highest nodes of the latest iteration */
  extremes: Map<number, Extremes>;
  /** by index of the node */
  nodes: Map<number, NodeRow>;
  crowd: Crowd | null;
  globals: GlobalChange[];
  results: ResultRow[];
  disagreement: DisagreementRow[];
  logs: { rows: LogRow[]; first: number; skipped: number };
  events: EventRow[];
  /** the last lines that a node printed, by index of the node */
  output: Map<number, string[]>;
  error: RunError | null;
}

/** The newest log lines that are kept here; older ones are asked for. */
const LOG_ROWS = 2000;

export function emptyState(): State {
  return {
    seq: 0,
    known: false,
    run: null,
    runReceived: 0,
    graph: null,
    tasks: [],
    nodeNames: [],
    taskNames: [],
    metrics: [],
    lines: new LineStore(),
    bands: new BandStore(),
    extremes: new Map(),
    nodes: new Map(),
    crowd: null,
    globals: [],
    results: [],
    disagreement: [],
    logs: { rows: [], first: 0, skipped: 0 },
    events: [],
    output: new Map(),
    error: null,
  };
}

/** Add a message to the state; returns the sections that changed. */
export function apply(state: State, message: Update, buffers: readonly DataView[]): Set<Section> {
  const changed = sections(message);
  if (message.op === 'full') {
    Object.assign(state, emptyState());
    state.known = true;
    for (const section of SECTIONS) changed.add(section);
  }
  state.seq = message.seq;
  addNames(state, message.names ?? {});
  addRun(state, message);
  addNumbers(state, message, [...buffers], changed);
  addNodes(state, message);
  state.globals.push(...(message.globals ?? []));
  state.results.push(...(message.results ?? []));
  if (message.logs) addLogs(state, message.logs);
  for (const cells of message.events ?? []) state.events.push(eventRow(state, cells));
  return changed;
}

/** Every section there is. */
export const SECTIONS: readonly Section[] = [
  'run',
  'graph',
  'tasks',
  'names',
  'points',
  'bands',
  'extremes',
  'nodes',
  'crowd',
  'globals',
  'results',
  'disagreement',
  'logs',
  'events',
  'output',
  'error',
];

function sections(message: Update): Set<Section> {
  return new Set(SECTIONS.filter((section) => message[section] !== undefined));
}

function addNames(state: State, names: Names): void {
  state.nodeNames.push(...(names.nodes ?? []));
  state.taskNames.push(...(names.tasks ?? []));
  state.metrics.push(...(names.metrics ?? []));
}

function addRun(state: State, message: Update): void {
  if (message.run) {
    state.run = message.run;
    state.runReceived = performance.now();
  }
  if (message.graph) state.graph = message.graph;
  if (message.tasks) state.tasks = message.tasks;
  if (message.error !== undefined) state.error = message.error;
}

/** Points or bands come first in the buffers, then one buffer for each entry of the disagreement. */
function addNumbers(state: State, message: Update, buffers: DataView[], changed: Set<Section>): void {
  if (message.points) add(state.lines, message.points, buffers);
  if (message.bands) add(state.bands, message.bands, buffers);
  const moved = state.lines.settle(state.run?.iteration ?? 0);
  if (moved) changed.add('points');
  for (const [metric, rows] of Object.entries(message.extremes ?? {}))
    state.extremes.set(Number(metric), rows);
  for (const head of message.disagreement ?? []) {
    const buffer = buffers.shift();
    if (buffer) state.disagreement.push(disagreementRow(head, floats(buffer)));
  }
}

function add(store: LineStore | BandStore, block: Block, buffers: DataView[]): void {
  if (block.from !== undefined) store.drop(block.from);
  const keys = buffers.shift();
  const values = buffers.shift();
  if (keys && values) store.append(ints(keys), floats(values));
}

function addNodes(state: State, message: Update): void {
  for (const [index, cells] of Object.entries(message.nodes ?? {})) {
    state.nodes.set(Number(index), nodeRow(cells, state.taskNames));
  }
  for (const [index, lines] of Object.entries(message.output ?? {})) state.output.set(Number(index), lines);
  if (message.crowd) state.crowd = message.crowd;
}

function addLogs(state: State, block: LogBlock): void {
  const rows = block.rows.map((cells) => logRow(state, cells));
  const next = state.logs.first + state.logs.rows.length;
  const kept = block.first === next ? [...state.logs.rows, ...rows] : rows;
  const first = block.first === next ? state.logs.first : block.first;
  const extra = Math.max(0, kept.length - LOG_ROWS);
  state.logs = { rows: kept.slice(extra), first: first + extra, skipped: block.skipped };
}
