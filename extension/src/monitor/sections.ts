/**
 * The sections of a message, as the kernel sends them.
 *
 * Whatever is text here may have been written by a stranger: it is shown as text and never as markup.
 */

export type RunStatus =
  'pending' | 'running' | 'stopping' | 'completed' | 'stopped' | 'failed' | 'interrupted';

/** Where the buttons stand: at once, when the running cell ends, or nowhere. */
export type Controls = 'live' | 'after-cell' | 'none';

export interface RunInfo {
  run_id: string;
  name: string;
  status: RunStatus;
  reason: string;
  error: string;
  /** how many iterations are committed */
  iteration: number;
  iterations: number | null;
  running_iteration: number | null;
  /** seconds since the epoch, on the kernel's clock */
  started: number | null;
  /** seconds, when the message was sent */
  elapsed: number;
  left: number | null;
  finished: boolean;
  seed: number | string | null;
  bytes_moved: number;
  bytes_iteration: number;
  nodes_alive: number;
  nodes_total: number;
  many: boolean;
  controls: Controls;
  can_stop: boolean;
  can_resume: boolean;
  note: string;
}

export interface GraphTask {
  alias: string;
  layer: number;
  /** in half steps: neighbours in a layer differ by 2 */
  row: number;
  label: string;
  may_stop: boolean;
}

export interface Bend {
  source: string;
  target: string;
  layer: number;
  row: number;
}

export interface Graph {
  tasks: GraphTask[];
  edges: [string, string][];
  bends: Bend[];
  layers: number;
  /** number of half rows */
  height: number;
}

export type TaskState = 'pending' | 'running' | 'done' | 'failed';

export interface TaskRow {
  alias: string;
  state: TaskState;
  placed: number;
  planned: number;
  running: number;
  done: number;
  failed: number;
  seconds: number | null;
  where: string;
}

export interface Metric {
  name: string;
  /** "task/name" where several tasks record it */
  label: string;
  /** lower is better */
  lower: boolean;
}

export interface Names {
  nodes?: string[];
  tasks?: string[];
  metrics?: Metric[];
}

export type NodeState = 'idle' | 'running' | 'waiting' | 'done' | 'failed' | 'lost' | 'gone';

/** `[state, task, done, cpu %, rss bytes, seconds, bytes_iteration, bytes_out, data_bytes, error, worker]` */
export type NodeCells = [
  NodeState,
  string | number | null,
  number | null,
  number | null,
  number | null,
  number | null,
  number | null,
  number | null,
  number | null,
  string | null,
  string | null,
];

export interface MinMedianMax {
  min: number;
  median: number;
  max: number;
}

export interface Crowd {
  states: Partial<Record<NodeState, number>>;
  seconds: MinMedianMax;
  bytes: MinMedianMax;
  slowest: [string, number][];
  failed: [string, string][];
}

export interface GlobalChange {
  tag: string;
  /** the iteration that changed it; null is the start */
  iteration: number | null;
  type: string;
  nbytes: number;
  version: number;
  preview: string;
}

export interface ResultRow {
  tag: string;
  iteration: number;
  /** indices of nodes, or how many when there are many */
  nodes: number[] | number;
  nbytes: number;
  type: string;
}

export interface DisagreementHead {
  tag: string;
  iteration: number;
  n: number;
  note?: string;
}

type Text = string | number | null;
/** `[iteration, node, task, level, text]`; a node or task may be an index into the names */
export type LogCells = [number | null, Text, Text, string, string];
/** `[iteration, kind, message, node, task]` */
export type EventCells = [number | null, string, string, Text, Text];

export interface LogBlock {
  first: number;
  rows: LogCells[];
  skipped: number;
}

export interface RunError {
  message: string;
  node: string | null;
  task: string | null;
  where: string | null;
  traceback: string | null;
  output: string[];
}

/** Number of rows in the buffers, and the iteration from which older rows are dropped first. */
export interface Block {
  n: number;
  from?: number;
}

export type Extremes = [string, number][];
