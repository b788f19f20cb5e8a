/** Brings a cell of a notebook, and a line of it, before the eyes. */
import type { NotebookPanel } from '@jupyterlab/notebook';
import { magicOf } from '../cells/magic';

/** `line` counts as the kernel does, from 1, the magic's own line being the first; null: the cell only. */
export async function goToCell({ content }: NotebookPanel, id: string, line: number | null): Promise<void> {
  const index = content.widgets.findIndex(({ model }) => model.id === id);
  const cell = content.widgets[index];
  if (!cell) return;
  content.activeCellIndex = index;
  await content.scrollToItem(index, 'smart');
  await cell.ready;
  const { editor } = cell;
  if (!editor || line === null) return;
  const before = magicOf(cell.model.sharedModel.getSource())?.line ?? 0;
  const position = { line: Math.min(line - 1 + before, editor.lineCount - 1), column: 0 };
  content.mode = 'edit';
  editor.setCursorPosition(position);
  editor.revealPosition(position);
  editor.focus();
}
