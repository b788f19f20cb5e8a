/** The menu "Manta", and cells to insert where one clicks on a cell. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IMainMenu } from '@jupyterlab/mainmenu';
import { MenuSvg } from '@jupyterlab/ui-components';
import { whyNoRun } from '../notebooks/reasons';
import { PARTS, TEMPLATES } from '../templates';
import { OPEN_COURSE } from './course';
import { INSERT_CELL } from './insert';
import { IKernels } from './kernels';
import { OPEN_MONITOR } from './monitortab';
import { NEW_NOTEBOOK } from './newnotebook';
import style from './menu.css';
import { RESUME, STOP } from './runcommands';
import { SHOW } from './sidebar';
import { START_NODES } from './startcommand';
import { addStyle } from '../styles';

/** Says why what stands below it cannot be chosen; it cannot be chosen either, and is gone where all can. */
const WHY = 'manta-nb:why-not';

const RUNS = [STOP, RESUME, OPEN_MONITOR];

/** The commands in groups, as menu and palette have them. */
export const COMMANDS: readonly (readonly string[])[] = [
  [NEW_NOTEBOOK, OPEN_COURSE, START_NODES],
  RUNS,
  [SHOW],
];

export const menu: JupyterFrontEndPlugin<void> = {
  id: 'manta-nb:menu',
  description: 'The menu "Manta", and "Insert Manta Cell" on cells.',
  autoStart: true,
  optional: [IMainMenu, IKernels],
  activate: (app: JupyterFrontEnd, main: IMainMenu | null, kernels: IKernels | null) => {
    addStyle('menu', style);
    const { commands } = app;
    const why = ({ about }: Record<string, unknown>): string => {
      if (about !== 'runs') return commands.caption(INSERT_CELL, { template: '' });
      return RUNS.some((id) => commands.isEnabled(id))
        ? ''
        : whyNoRun(kernels?.panel != null, kernels?.current);
    };
    commands.addCommand(WHY, {
      label: why,
      className: 'manta-nb-why',
      isEnabled: () => false,
      isVisible: (args) => why(args) !== '',
      execute: () => undefined,
    });
    app.contextMenu.addItem({
      type: 'submenu',
      submenu: insertMenu(app, 'Insert Manta Cell'),
      selector: '.jp-Notebook .jp-Cell',
      rank: 9.5,
    });
    // between Kernel and Tabs
    main?.addMenu(mainMenu(app), true, { rank: 60 });
  },
};

function mainMenu(app: JupyterFrontEnd): MenuSvg {
  const made = new MenuSvg({ commands: app.commands });
  made.id = 'jp-mainmenu-manta';
  made.title.label = 'Manta';
  for (const group of COMMANDS) {
    if (group === RUNS) made.addItem({ command: WHY, args: { about: 'runs' } });
    for (const command of group) made.addItem({ command });
    made.addItem({ type: 'separator' });
  }
  made.addItem({ type: 'submenu', submenu: insertMenu(app, 'Insert Cell') });
  return made;
}

/** A menu can hang in one place only: each place has its own. */
function insertMenu(app: JupyterFrontEnd, label: string): MenuSvg {
  const made = new MenuSvg({ commands: app.commands });
  made.title.label = label;
  made.addItem({ command: WHY, args: { about: 'cells' } });
  for (const [at, { id: template }] of TEMPLATES.entries()) {
    if (at === PARTS) made.addItem({ type: 'separator' });
    made.addItem({ command: INSERT_CELL, args: { template } });
  }
  return made;
}
