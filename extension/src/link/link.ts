/** The page's side of one kernel: what is known of it, and questions to it. */
import type { Answer, Chosen, KernelInfo, ModuleRow, Question, RunRow, SessionInfo } from '../protocol';

/** What a kernel has said; empty or null while it has said nothing. */
export interface Known {
  readonly kernel: KernelInfo | null;
  readonly session: SessionInfo | null;
  readonly runs: readonly RunRow[];
  /** how many runs there are: `runs` are the latest */
  readonly total: number;
  readonly modules: readonly ModuleRow[];
  readonly chosen: Chosen | null;
}

/** Parts of `Known`, and the state of the connection itself. */
export type Section = keyof Known | 'phase';

/**
 * `absent`: this kernel has said nothing of manta_nb; `opening`: asked, not yet answered; `open`: `state` is what the
 * kernel has; `restarting`: the kernel or the line to it has gone and may come back.
 */
export type Phase = 'absent' | 'opening' | 'open' | 'restarting';

/** One a kernel, shared by everything in the page. */
export interface Link {
  readonly state: Known;
  readonly phase: Phase;
  /** why nothing is shown although the kernel answers, in one line: another version of the protocol; "" */
  readonly trouble: string;
  /** how often this kernel has been seen to restart */
  readonly restarts: number;
  /** the id of the kernel; another link may come to have the same one */
  readonly kernel: string;
  /** whether the kernel was seen to die */
  readonly ended: boolean;
  /** Hear of changes, until the returned function is called. */
  watch(listener: (changed: Set<Section>) => void): () => void;
  /** Always fulfilled: what has gone wrong is an answer that is not ok, in one line. */
  ask(question: Omit<Question, 'ask'>): Promise<Answer>;
  /** Whose Globals and Results `state.chosen` has; "": the latest run. */
  choose(run: string): void;
  closeMonitor(model: string): void;
  dispose(): void;
}
