/** The plugins of the JupyterLab extension. */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { badges } from './badges';
import { brackets } from './brackets';
import { cellEditors } from './celleditors';
import { completer } from './completer';
import { course } from './course';
import { highlight } from './highlight';
import { insert } from './insert';
import { kernels } from './kernels';
import { launcher } from './launcher';
import { marks } from './marks';
import { menu } from './menu';
import { monitorTab } from './monitortab';
import { newNotebook } from './newnotebook';
import { openAsSwarm } from './files';
import { palette } from './palette';
import { runCommands } from './runcommands';
import { settings } from './settings';
import { sidebar } from './sidebar';
import { startCommand } from './startcommand';
import { status } from './status';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  settings,
  kernels,
  runCommands,
  monitorTab,
  sidebar,
  status,
  newNotebook,
  course,
  startCommand,
  insert,
  openAsSwarm,
  launcher,
  palette,
  menu,
  highlight,
  brackets,
  completer,
  cellEditors,
  badges,
  marks,
];

export default plugins;
