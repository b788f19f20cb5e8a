/** Commands on runs: stop and resume, from the sidebar, the palette and menus. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { Link } from '../link/link';
import { iterationsOf } from '../panel/words';
import type { Answer, RunRow } from '../protocol';
import { IKernels } from './kernels';
import { IMantaSettings } from './settings';

export const STOP = 'manta-nb:stop-run';
export const RESUME = 'manta-nb:resume-run';

/** `run`: its id, else the latest one that can be; `quiet`: whoever calls shows the answer. */
type Arguments = ReadonlyPartialJSONObject;

/** The run that is meant: that of the arguments, or the latest that is as asked, of this notebook if it has one. */
export function runOf(link: Link | null, { run }: Arguments, fits: (run: RunRow) => boolean): RunRow | null {
  const runs = link?.state.runs ?? [];
  if (typeof run === 'string') return runs.find(({ run_id: id }) => id === run) ?? null;
  return runs.find((each) => each.here && fits(each)) ?? runs.find(fits) ?? null;
}

/** Show what the kernel said, unless the caller does. */
export function shown(answer: Answer | null, { quiet }: Arguments): Answer | null {
  if (answer?.text && quiet !== true) {
    if (answer.ok) Notification.info(answer.text, { autoClose: 4000 });
    else Notification.error(answer.text, { autoClose: 8000 });
  }
  return answer;
}

/** Whether the run may be stopped: the person is asked, unless the settings say otherwise; for another's always. */
export async function mayStop(run: RunRow, settings: IMantaSettings | null): Promise<boolean> {
  if (settings && !settings.all.confirmStop && run.live) return true;
  const whose = run.live ? '' : 'Another kernel executes it. ';
  const { button } = await showDialog({
    title: `Stop ${run.name || 'the run'}?`,
    body: `${whose}It has committed ${iterationsOf(run)}. They are kept, and it can be resumed.`,
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: 'Stop' })],
    defaultButton: 1,
  });
  return button.accept;
}

/** `Stop Run fl`: which one is meant is seen before it is clicked. */
function named(label: string, run: RunRow | null): string {
  return run?.name ? `${label} ${run.name}` : label;
}

function add(app: JupyterFrontEnd, kernels: IKernels, settings: IMantaSettings | null): void {
  // without a name only this notebook's own: nobody stops another's by a shortcut
  const stoppable = (args: Arguments): RunRow | null =>
    runOf(kernels.current, args, (run) => run.can_stop && run.here);
  const resumable = (args: Arguments): RunRow | null =>
    runOf(kernels.current, args, (run) => run.can_resume && run.here);
  app.commands.addCommand(STOP, {
    label: (args) => named('Stop Run', stoppable(args)),
    caption: 'Stop the run of this notebook; what it has committed is kept',
    isEnabled: (args) => stoppable(args) !== null,
    execute: async (args) => {
      const [link, run] = [kernels.current, stoppable(args)];
      if (!link || !run || !(await mayStop(run, settings))) return null;
      return shown(await link.ask({ op: 'stop', run: run.run_id }), args);
    },
  });
  app.commands.addCommand(RESUME, {
    label: (args) => named('Resume Run', resumable(args)),
    caption: 'Go on with the latest run of this notebook that was stopped',
    isEnabled: (args) => resumable(args) !== null,
    execute: async (args) => {
      const [link, run] = [kernels.current, resumable(args)];
      if (!link || !run) return null;
      return shown(await link.ask({ op: 'resume', run: run.run_id }), args);
    },
  });
}

export const runCommands: JupyterFrontEndPlugin<void> = {
  id: 'manta-nb:run-commands',
  description: 'Commands that stop and resume runs.',
  autoStart: true,
  requires: [IKernels],
  optional: [IMantaSettings],
  activate: add,
};
