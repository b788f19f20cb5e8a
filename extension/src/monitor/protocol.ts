/**
 * The messages between the kernel and the browser, protocol version 1.
 *
 * Kernel → browser is `Message` with binary buffers, browser → kernel is `Command`. Everything that comes from the
 * kernel may hold text that a stranger wrote: it is shown as text and never as markup.
 */

import type {
  Block,
  Crowd,
  DisagreementHead,
  EventCells,
  Extremes,
  GlobalChange,
  Graph,
  LogBlock,
  LogCells,
  Names,
  NodeCells,
  ResultRow,
  RunError,
  RunInfo,
  TaskRow,
} from './sections';

export * from './sections';

export const PROTOCOL = 1;

/** Above this many nodes the kernel sends aggregates instead of one row a node. */
export const MANY = 128;

export interface Update {
  op: 'full' | 'delta';
  seq: number;
  run?: RunInfo;
  graph?: Graph;
  tasks?: TaskRow[];
  names?: Names;
  points?: Block;
  bands?: Block;
  extremes?: Record<string, Extremes>;
  nodes?: Record<string, NodeCells>;
  crowd?: Crowd;
  globals?: GlobalChange[];
  results?: ResultRow[];
  disagreement?: DisagreementHead[];
  logs?: LogBlock;
  events?: EventCells[];
  output?: Record<string, string[]>;
  error?: RunError | null;
}

export interface Told {
  op: 'told';
  seq?: number;
  ok: boolean;
  text: string;
}

export interface End {
  op: 'end';
  seq?: number;
  /** The model whose output is to be replaced, and by what: a page that was reloaded misses the kernel's own word. */
  model?: string;
  output?: Record<string, unknown>;
}

export interface Histogram {
  counts: number[];
  edges: number[];
}

export interface Stats {
  min: number;
  max: number;
  mean: number;
  std: number;
  zeros: number;
  nonfinite: number;
}

interface Answered {
  op: 'answer';
  ask: number;
  seq?: number;
}

export interface Refusal extends Answered {
  ok: false;
  text: string;
}

export interface ValueAnswer extends Answered {
  ok: true;
  text: string;
  type: string;
  shape: number[] | null;
  dtype: string | null;
  nbytes: number;
  stats: Stats | null;
  histogram: Histogram | null;
  items?: { path: string; type: string }[];
}

export interface NodesAnswer extends Answered {
  ok: true;
  total: number;
  rows: [string, ...NodeCells][];
}

export interface LogsAnswer extends Answered {
  ok: true;
  rows: LogCells[];
  first: number;
  more: boolean;
}

/** What `Kernel.ask` gives; take the kind that belongs to the command: `answer as ValueAnswer`. */
export type Answer = ValueAnswer | NodesAnswer | LogsAnswer | Refusal;

export type Message = Update | Told | End | Answer;

/** `ask` is filled in by `Kernel.ask`. */
export type Command =
  | { op: 'hello'; view: string }
  | { op: 'gap'; have: number }
  | { op: 'stop' }
  | { op: 'resume' }
  | {
      op: 'node';
      action: 'kill' | 'freeze' | 'slow' | 'restart';
      node: string;
      factor?: number;
      seconds?: number;
    }
  | {
      op: 'value';
      ask?: number;
      kind: 'global' | 'result';
      tag: string;
      node?: string;
      iteration?: number | null;
    }
  | {
      op: 'nodes';
      ask?: number;
      sort: string;
      descending: boolean;
      filter: string;
      offset: number;
      limit: number;
    }
  | {
      op: 'logs';
      ask?: number;
      node?: string;
      task?: string;
      level?: string;
      contains?: string;
      before?: number;
      limit: number;
    };

/** The numbers of a buffer; a DataView may stand at any offset, typed arrays only at multiples of their size. */
export function floats(buffer: DataView): Float64Array {
  return new Float64Array(copied(buffer));
}

export function ints(buffer: DataView): Int32Array {
  return new Int32Array(copied(buffer));
}

function copied(buffer: DataView): ArrayBuffer {
  const end = buffer.byteOffset + buffer.byteLength;
  return buffer.buffer.slice(buffer.byteOffset, end) as ArrayBuffer;
}
