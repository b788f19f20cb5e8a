/** "Open as Swarm Notebook" on a Python file in the file browser. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { InputDialog } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { folderOf } from '../notebooks/files';
import { openedAs, unusable } from '../notebooks/openas';
import { swarmClasses } from '../notebooks/swarms';
import { mantaIcon } from './icon';
import { complain, makeNotebook, reasonOf } from './making';
import { IMantaSettings } from './settings';

export const OPEN_AS_SWARM = 'manta-nb:open-as-swarm';

/** Longer files are read that far. */
const LONGEST = 2_000_000;

export const openAsSwarm: JupyterFrontEndPlugin<void> = {
  id: 'manta-nb:open-as-swarm',
  description: 'A notebook that runs the swarm of a Python file.',
  autoStart: true,
  requires: [IMantaSettings],
  optional: [IFileBrowserFactory],
  activate: (app: JupyterFrontEnd, settings: IMantaSettings, browsers: IFileBrowserFactory | null) => {
    if (!browsers) return;
    const selected = (): { name: string; path: string } | null => {
      const [first, second] = [...(browsers.tracker.currentWidget?.selectedItems() ?? [])];
      return first && !second && first.type === 'file' && /\.py$/i.test(first.name) ? first : null;
    };
    app.commands.addCommand(OPEN_AS_SWARM, {
      label: 'Open as Swarm Notebook',
      caption: 'A notebook beside this file, which runs its Swarm class',
      icon: mantaIcon,
      isVisible: () => selected() !== null,
      execute: async () => {
        const file = selected();
        return file ? openAs(app, file, settings) : null;
      },
    });
    app.contextMenu.addItem({
      command: OPEN_AS_SWARM,
      selector: '.jp-DirListing-item[data-isdir="false"]',
      rank: 2.5,
    });
  },
};

async function openAs(
  app: JupyterFrontEnd,
  { name, path }: { name: string; path: string },
  settings: IMantaSettings,
): Promise<unknown> {
  const classes = await classesOf(app, name, path);
  const wanted = classes.length > 1 ? await choose(name, classes) : classes[0];
  if (wanted === undefined) return null;
  return makeNotebook(app, folderOf(path), openedAs(name, wanted, settings.all), name.replace(/\.py$/i, ''));
}

/** The swarms of a file; none where that has been said why. */
async function classesOf(app: JupyterFrontEnd, name: string, path: string): Promise<string[]> {
  const problem = unusable(name);
  if (problem) {
    complain(`${name} cannot be opened as a swarm notebook: ${problem}`);
    return [];
  }
  try {
    const options = { type: 'file', format: 'text', content: true } as const;
    const file = await app.serviceManager.contents.get(path, options);
    const found = swarmClasses(String(file.content).slice(0, LONGEST));
    if (!found.length)
      complain(
        `${name} has no Swarm class, such as "class MySwarm(Swarm):" with "from manta.swarm import Swarm"`,
      );
    return found;
  } catch (error) {
    complain(`${name} cannot be read: ${reasonOf(error)}`);
    return [];
  }
}

async function choose(file: string, classes: readonly string[]): Promise<string | undefined> {
  const { value, button } = await InputDialog.getItem({
    title: `Which swarm of ${file}?`,
    items: [...classes],
    okLabel: 'Open',
  });
  return button.accept && value !== null ? value : undefined;
}
