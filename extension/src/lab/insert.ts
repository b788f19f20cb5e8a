/** "Insert Cell ▸": cells that run, put below the active one. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { whyNoCell } from '../notebooks/reasons';
import { cellsFor } from '../notebooks/template';
import { TEMPLATES, type Template } from '../templates';

export const INSERT_CELL = 'manta-nb:insert-cell';

export const insert: JupyterFrontEndPlugin<void> = {
  id: 'manta-nb:insert',
  description: 'Inserts modules, swarms and whole algorithms into the notebook.',
  autoStart: true,
  optional: [INotebookTracker],
  activate: (app: JupyterFrontEnd, notebooks: INotebookTracker | null) => {
    const asked = (args: Record<string, unknown>): Template | undefined =>
      TEMPLATES.find(({ id }) => id === args.template);
    const where = (): NotebookPanel | null => {
      const panel = notebooks?.currentWidget ?? null;
      return panel === app.shell.currentWidget ? panel : null;
    };
    const reason = (): string => {
      const panel = where();
      return whyNoCell(panel !== null, panel?.content.model?.readOnly ?? false);
    };
    app.commands.addCommand(INSERT_CELL, {
      label: (args) => {
        const name = asked(args)?.label ?? 'Cell';
        return args.isPalette ? `Insert Cell: ${name}` : name;
      },
      caption: (args) => reason() || (asked(args)?.caption ?? ''),
      isEnabled: (args) => asked(args) !== undefined && !reason(),
      execute: (args) => {
        const [panel, template] = [where(), asked(args)];
        if (panel && template) insertBelow(panel, template);
      },
    });
    // so that menus and palette know whether it can be done now
    notebooks?.currentChanged.connect(() => app.commands.notifyCommandChanged(INSERT_CELL));
    app.shell.currentChanged?.connect(() => app.commands.notifyCommandChanged(INSERT_CELL));
  },
};

/** Put the cells of a template below the active one; the first of them is active then. */
function insertBelow(panel: NotebookPanel, template: Template): void {
  const { content } = panel;
  const shared = content.model?.sharedModel;
  if (!shared) return;
  const at = content.widgets.length ? content.activeCellIndex + 1 : 0;
  const code = shared.cells.filter((cell) => cell.cell_type === 'code');
  const above = shared.cells.slice(0, at).filter((cell) => cell.cell_type === 'code').length;
  const sources = code.map((cell) => cell.getSource());
  shared.insertCells(
    at,
    cellsFor(template, sources, above).map(({ kind, source }) => ({
      cell_type: kind,
      source,
      metadata: kind === 'code' ? { trusted: true } : {},
    })),
  );
  content.deselectAll();
  content.activeCellIndex = at;
  content.mode = 'command';
  content.activate();
  void content.scrollToItem(at, 'smart');
}
