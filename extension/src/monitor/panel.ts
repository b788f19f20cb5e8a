/** What every part of the monitor is made of. */
import type { Section, State } from './store';
import type { Command, Answer } from './protocol';

/** Sends a command to the kernel; `ask` waits for its answer. */
export interface Kernel {
  send(command: Command): void;
  ask(command: Command): Promise<Answer>;
}

/** The committed iteration that is looked at; null follows the newest. */
export interface Moment {
  readonly at: number | null;
}

/** One part of the screen. `update` is called at most once a frame, with the sections that changed since. */
export interface Panel {
  readonly el: HTMLElement;
  update(state: State, changed: ReadonlySet<Section>, moment: Moment): void;
  dispose(): void;
}

export type MakePanel = (kernel: Kernel) => Panel;
