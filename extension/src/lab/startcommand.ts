/** "Start Nodes…": asks how many and with which data, and writes the cell that starts them. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { nodesCardIcon } from './icon';
import { IKernels } from './kernels';
import { makeNotebook } from './making';
import { folderFor } from './newnotebook';
import { IMantaSettings } from './settings';
import { askStart, startNodes } from './start';

export const START_NODES = 'manta-nb:start-nodes';

export const startCommand: JupyterFrontEndPlugin<void> = {
  id: 'manta-nb:start-nodes',
  description: 'Starts nodes in the notebook that is in front, or in a new one.',
  autoStart: true,
  requires: [IMantaSettings],
  optional: [IKernels, IDefaultFileBrowser, INotebookTracker],
  activate: (
    app: JupyterFrontEnd,
    settings: IMantaSettings,
    kernels: IKernels | null,
    browser: IDefaultFileBrowser | null,
    notebooks: INotebookTracker | null,
  ) => {
    const inFront = (): NotebookPanel | null => {
      const panel = notebooks?.currentWidget ?? null;
      return panel === app.shell.currentWidget ? panel : null;
    };
    app.commands.addCommand(START_NODES, {
      label: 'Start Nodes…',
      caption: 'Start nodes in this notebook, or in a new one',
      icon: (args) => (args.cwd === undefined ? undefined : nodesCardIcon),
      execute: async (args) => {
        const open = inFront();
        const options = await askStart(settings.all);
        if (!options) return null;
        const made = open ?? (await makeNotebook(app, folderFor(args, browser, notebooks), []));
        if (!(made instanceof NotebookPanel)) return null;
        // not awaited: a launcher waits for the notebook that takes its place
        void startNodes(app, made, options, kernels?.of(made)?.state.kernel?.loaded ?? false);
        return open ? null : made;
      },
    });
  },
};
