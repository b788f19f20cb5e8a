/** All commands in the command palette. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { TEMPLATES } from '../templates';
import { INSERT_CELL } from './insert';
import { COMMANDS } from './menu';

const category = 'Manta';

export const palette: JupyterFrontEndPlugin<void> = {
  id: 'manta-nb:palette',
  description: 'The commands of Manta in the command palette.',
  autoStart: true,
  optional: [ICommandPalette],
  activate: (_app: JupyterFrontEnd, entries: ICommandPalette | null) => {
    for (const command of COMMANDS.flat()) entries?.addItem({ command, category });
    for (const { id: template } of TEMPLATES)
      entries?.addItem({ command: INSERT_CELL, category, args: { template, isPalette: true } });
  },
};
