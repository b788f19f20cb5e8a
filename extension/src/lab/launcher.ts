/** The cards of the launcher. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILauncher } from '@jupyterlab/launcher';
import { OPEN_COURSE } from './course';
import { NEW_NOTEBOOK } from './newnotebook';
import { START_NODES } from './startcommand';

/** After notebooks and consoles, before what else there is; older JupyterLabs put it last. */
const RANK = 25;

export const launcher: JupyterFrontEndPlugin<void> = {
  id: 'manta-nb:launcher',
  description: 'Cards: a new swarm notebook, the course, nodes.',
  autoStart: true,
  optional: [ILauncher],
  activate: (_app: JupyterFrontEnd, cards: ILauncher | null) => {
    for (const [rank, command] of [NEW_NOTEBOOK, OPEN_COURSE, START_NODES].entries())
      cards?.add({ command, category: 'Manta', rank, categoryRank: RANK });
  },
};
