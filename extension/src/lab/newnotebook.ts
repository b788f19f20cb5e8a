/** "New Swarm Notebook": one that runs as it is. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { swarmNotebook } from '../notebooks/document';
import { folderOf } from '../notebooks/files';
import { mantaCardIcon } from './icon';
import { makeNotebook } from './making';
import { IMantaSettings } from './settings';

export const NEW_NOTEBOOK = 'manta-nb:new-notebook';

type Arguments = Record<string, unknown>;

/** Where something new is made: the launcher's folder, the file browser's, that of the open notebook. */
export function folderFor(
  args: Arguments,
  browser: IDefaultFileBrowser | null,
  notebooks: INotebookTracker | null,
): string {
  if (typeof args.cwd === 'string') return args.cwd;
  return browser ? browser.model.path : folderOf(notebooks?.currentWidget?.context.path ?? '');
}

export const newNotebook: JupyterFrontEndPlugin<void> = {
  id: 'manta-nb:new-notebook',
  description: 'A new notebook with a swarm that runs as it is.',
  autoStart: true,
  requires: [IMantaSettings],
  optional: [IDefaultFileBrowser, INotebookTracker],
  activate: (
    app: JupyterFrontEnd,
    settings: IMantaSettings,
    browser: IDefaultFileBrowser | null,
    notebooks: INotebookTracker | null,
  ) => {
    app.commands.addCommand(NEW_NOTEBOOK, {
      label: 'New Swarm Notebook',
      caption: 'A notebook with nodes, modules and a swarm that runs as it is',
      icon: (args) => (args.cwd === undefined ? undefined : mantaCardIcon),
      execute: (args) => makeNotebook(app, folderFor(args, browser, notebooks), swarmNotebook(settings.all)),
    });
  },
};
