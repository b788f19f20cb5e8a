/** The rows of the state, made from the cells that the kernel sends. */
import type { DisagreementHead, EventCells, LogCells, NodeCells, NodeState } from './protocol';

export interface NodeRow {
  state: NodeState;
  task: string;
  /** the part that is done, 0 to 1 */
  done: number | null;
  cpu: number | null;
  memory: number | null;
  seconds: number | null;
  bytesIteration: number | null;
  bytesOut: number | null;
  dataBytes: number | null;
  error: string;
  worker: string;
}

export interface LogRow {
  iteration: number | null;
  node: string;
  task: string;
  level: string;
  text: string;
}

export interface EventRow {
  iteration: number | null;
  kind: string;
  message: string;
  node: string;
  task: string;
}

/** How far the nodes' updates of one array result lie apart in one iteration; the arrays are equally long. */
export interface DisagreementRow {
  tag: string;
  iteration: number;
  note: string;
  node: Int32Array;
  norm: Float64Array;
  cosine: Float64Array;
}

/** What the numbers in the cells index into; the state is one. */
interface ListsOfNames {
  readonly nodeNames: readonly string[];
  readonly taskNames: readonly string[];
}

/** The cells of a node as a row; also for the rows of a `NodesAnswer`, after their first cell (the id). */
export function nodeRow(cells: NodeCells, taskNames: readonly string[]): NodeRow {
  const [state, task, done, cpu, memory, seconds, bytesIteration, bytesOut, dataBytes, error, worker] = cells;
  return {
    state,
    task: named(task, taskNames),
    done,
    cpu,
    memory,
    seconds,
    bytesIteration,
    bytesOut,
    dataBytes,
    error: error ?? '',
    worker: worker ?? '',
  };
}

/** A line of a `LogBlock` or of a `LogsAnswer` as a row. */
export function logRow(names: ListsOfNames, cells: LogCells): LogRow {
  const [iteration, node, task, level, text] = cells;
  return {
    iteration,
    node: named(node, names.nodeNames),
    task: named(task, names.taskNames),
    level,
    text,
  };
}

export function eventRow(names: ListsOfNames, cells: EventCells): EventRow {
  const [iteration, kind, message, node, task] = cells;
  return { iteration, kind, message, node: named(node, names.nodeNames), task: named(task, names.taskNames) };
}

/** A name, or the name behind its number; "" for none. */
function named(name: string | number | null, names: readonly string[]): string {
  return typeof name === 'number' ? (names[name] ?? '') : (name ?? '');
}
/** The rows `[node, norm, cosine]` of one buffer as three arrays. */
export function disagreementRow(head: DisagreementHead, cells: Float64Array): DisagreementRow {
  const n = Math.floor(cells.length / 3);
  const column = (offset: number): Float64Array =>
    Float64Array.from({ length: n }, (_, row) => cells[3 * row + offset] ?? NaN);
  return {
    tag: head.tag,
    iteration: head.iteration,
    note: head.note ?? '',
    node: Int32Array.from(column(0)),
    norm: column(1),
    cosine: column(2),
  };
}
