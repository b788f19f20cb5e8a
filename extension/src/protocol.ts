/**
 * The messages between a kernel and this extension: the same as `manta_nb/ui/panel/protocol.py`, where each is
 * explained; `tests/ui/panel/test_protocol.py` compares the two.
 *
 * Everything here may hold text that a stranger wrote: it is shown as text and never as markup.
 */

export const PROTOCOL = 1;

export interface Opening {
  token: string;
  protocol: number;
}

export interface KernelInfo {
  protocol: number;
  version: string;
  controls: 'live' | 'after-cell';
  loaded: boolean;
}

export interface DataRow {
  name: string;
  samples: number | null;
  text: string;
}

export interface NodeRow {
  node: string;
  state: 'idle' | 'busy' | 'frozen' | 'lost' | 'closed';
  task: string;
  worker: string;
  factor: number;
  data: DataRow[];
}

export interface SessionInfo {
  text: string;
  total: number;
  states: Record<string, number>;
  nodes: NodeRow[];
}

export interface FailureInfo {
  message: string;
  node: string;
  task: string;
  where: string;
  cell: string;
  line: number | null;
  traceback: string;
}

export interface RunRow {
  run_id: string;
  name: string;
  status: 'pending' | 'running' | 'stopping' | 'completed' | 'stopped' | 'failed' | 'interrupted';
  reason: string;
  iteration: number;
  iterations: number | null;
  elapsed: number;
  started: number;
  best: string;
  live: boolean;
  here: boolean;
  can_stop: boolean;
  can_resume: boolean;
  note: string;
  word: string;
  cell: string;
  digest: string;
  failure: FailureInfo | null;
}

export interface CellRow {
  file: string;
  cell: string;
  number: number;
  digest: string;
}

export interface ModuleRow {
  name: string;
  revision: number;
  text: string;
  cells: CellRow[];
  refused: string;
  error: string;
}

export interface GlobalRow {
  tag: string;
  type: string;
  nbytes: number;
  iteration: number | null;
  code: string;
}

export interface ResultRow {
  tag: string;
  type: string;
  nbytes: number;
  iteration: number;
  nodes: string[];
  total: number;
  code: string;
}

export interface Chosen {
  run_id: string;
  name: string;
  globals: GlobalRow[];
  results: ResultRow[];
  note: string;
}

export interface State {
  op: 'state';
  seq: number;
  full: boolean;
  kernel?: KernelInfo;
  session?: SessionInfo | null;
  runs?: RunRow[];
  total?: number;
  modules?: ModuleRow[];
  chosen?: Chosen | null;
}

export interface Completion {
  text: string;
  kind: string;
  help: string;
}

export interface Answer {
  op: 'answer';
  ask: number;
  ok: boolean;
  text: string;
  value?: Record<string, unknown>;
  model?: string;
  start?: number;
  end?: number;
  completions?: Completion[];
}

export interface View {
  op: 'hello' | 'choose' | 'here';
  run?: string;
}

export interface CloseMonitor {
  op: 'close_monitor';
  model: string;
}

export interface Question {
  op: 'stop' | 'resume' | 'monitor' | 'value' | 'complete';
  ask: number;
  run?: string;
  kind?: 'global' | 'result';
  tag?: string;
  node?: string;
  text?: string;
  at?: number;
}
