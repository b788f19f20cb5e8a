/** What the sidebar is given, and what it asks for: it shows the one and calls the other, and does nothing else. */
import type { Known, Phase } from '../link/link';
import type { Answer, RunRow } from '../protocol';

/** The notebook that is followed, and what is known of its kernel. */
export interface View {
  /** name of the notebook; null: none is open */
  readonly notebook: string | null;
  /** null: it has no kernel */
  readonly phase: Phase | null;
  readonly trouble: string;
  readonly known: Known;
  /** the notebook's own line that starts nodes, `%manta start --nodes 8`; "": it has none */
  readonly start: string;
  /** the cell that starts nodes runs */
  readonly starting: boolean;
}

/** Which value: the newest of a Global, or of a Result of one node. */
export interface Wanted {
  readonly kind: 'global' | 'result';
  readonly run: string;
  readonly tag: string;
  readonly node?: string;
}

export interface Actions {
  /** start nodes as the notebook's own cell says, else ask how many */
  start(): void;
  /** ask how many, and write a cell */
  startOther(): void;
  stop(run: RunRow): void;
  resume(run: RunRow): void;
  monitor(run: RunRow): void;
  choose(run: string): void;
  value(wanted: Wanted): Promise<Answer>;
  copy(code: string): void;
  insert(code: string): void;
}

/** What the person has folded away, kept from page to page. */
export interface Folds {
  isOpen(name: string): boolean;
  keep(name: string, open: boolean): void;
}
