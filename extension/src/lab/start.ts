/** Nodes are started by a cell that everybody can see: the notebook's own, or one that is written. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, showErrorMessage } from '@jupyterlab/apputils';
import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import { Widget } from '@lumino/widgets';
import { type StartOptions, startLine } from '../notebooks/startline';
import { type CellText, startPlan } from '../panel/startcells';
import { StartForm } from '../panel/startform';
import formStyle from '../panel/startform.css';
import { addStyle } from '../styles';

export type { StartOptions };

/** The cells of a notebook as texts. */
export function cellsOf(panel: NotebookPanel): CellText[] {
  const cells = panel.content.model?.sharedModel.cells ?? [];
  return cells.map((cell) => ({ kind: cell.cell_type, source: cell.getSource() }));
}

/**
 * Start nodes in a notebook.
 *
 * `options` null runs the notebook's own `%manta start` cell. `loaded`: the kernel has the magics already.
 */
export async function startNodes(
  app: JupyterFrontEnd,
  notebook: NotebookPanel,
  options: StartOptions | null,
  loaded = false,
): Promise<void> {
  await notebook.context.ready;
  const model = notebook.content.model;
  if (!model) return;
  const plan = startPlan(cellsOf(notebook), loaded, options && startLine(options));
  if (plan.cell) {
    if (model.readOnly) {
      await showErrorMessage('Start nodes', 'This notebook is read-only: no cell can be written into it.');
      return;
    }
    const { at, source, into } = plan.cell;
    if (into) model.sharedModel.cells[at]?.setSource(source);
    else model.sharedModel.insertCell(at, { cell_type: 'code', source, metadata: { trusted: true } });
  }
  app.shell.activateById(notebook.id);
  await runCells(notebook, plan.run);
}

/** Ask how many nodes and with which data; null: rather not. */
export async function askStart(options: StartOptions): Promise<StartOptions | null> {
  addStyle('start', formStyle);
  const form = new StartForm(options);
  const body = new Widget({ node: form.el }) as Widget & Dialog.IBodyWidget<StartOptions | null>;
  body.getValue = () => form.value;
  const dialog = new Dialog({
    title: 'Start nodes',
    body,
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: 'Start' })],
    focusNodeSelector: 'input',
  });
  const { button, value } = await dialog.launch();
  if (!button.accept) return null;
  // the form says what is wrong with it
  return value ?? askStart(form.options);
}

/** As if each was selected and run by hand. */
async function runCells(panel: NotebookPanel, indices: readonly number[]): Promise<void> {
  const { content, sessionContext } = panel;
  await sessionContext.ready;
  for (const index of indices) {
    content.activeCellIndex = index;
    content.deselectAll();
    await content.scrollToItem(index, 'auto');
    if (!(await NotebookActions.run(content, sessionContext))) return;
  }
}
