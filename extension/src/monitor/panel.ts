/** What every part of the monitor is made of. */
import type { Section, State } from './store';
import type { Command, Answer, Told } from './protocol';

/** Sends a command to the kernel; `ask` waits for its answer. */
export interface Kernel {
  /** there is none: what is here is all there is */
  readonly absent?: boolean;
  send(command: Command): void;
  ask(command: Command): Promise<Answer>;
}

/** One picture of the run on the page. */
export interface View {
  changed(sections: ReadonlySet<Section>): void;
  told(message: Told): void;
}

/** Where a picture of a run comes from. */
export interface Source extends Kernel {
  readonly state: State;
  /** Tell this view whatever comes; returns how to leave. */
  register(view: View): () => void;
}

/** The committed iteration that is looked at; null follows the newest. */
export interface Moment {
  readonly at: number | null;
}

/** One part of the screen. `update` is called at most once a frame, with the sections that changed since. */
export interface Panel {
  readonly el: HTMLElement;
  update(state: State, changed: ReadonlySet<Section>, moment: Moment): void;
  /** Colours may have changed. */
  repaint?(): void;
  dispose(): void;
}

/** A tab, and what is in it. */
export interface Part {
  readonly tab: string;
  readonly panels: readonly Panel[];
  /** one can look back in it */
  readonly past?: boolean;
}

export type MakePanel = (kernel: Kernel) => Panel;
