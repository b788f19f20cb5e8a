/** What failed on a node is shown at the line of the cell that it happened in. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { EditorExtensionRegistry, IEditorExtensionRegistry } from '@jupyterlab/codemirror';
import type { Text } from '@codemirror/state';
import type { EditorView } from '@codemirror/view';
import { failedLines, markOf, setMark, type Mark } from '../cells/mark';
import { failureIn, failureKey, failureOf, type Facts } from '../cells/status';
import type { RunRow } from '../protocol';
import cellStyle from './cells.css';
import { ICellEditors, type CellEditor, type Layer } from './celleditors';
import { addStyle } from '../styles';

/** Characters of a traceback in a tooltip, from its end. */
const MOST_TITLE = 1500;

class Marks implements Layer {
  /** failures whose message somebody has closed */
  readonly closed = new Set<string>();
  /** the text of an ordinary cell when its failure was first seen: it is about no other */
  private readonly seen = new WeakMap<EditorView, { key: string; doc: Text }>();

  refresh(editor: CellEditor, facts: Facts | null): void {
    const { view } = editor;
    const mark = facts && this.wanted(editor, facts);
    const old = markOf(view.state);
    if (old?.key === mark?.key && old?.line === mark?.line && old?.text === mark?.text) return;
    view.dispatch({ effects: setMark.of(mark) });
  }

  private wanted(editor: CellEditor, facts: Facts): Mark | null {
    const now = editor.now();
    const { id, executionCount } = editor.model;
    const run = now ? failureIn(now, facts, this.closed) : failureOf(id, executionCount, facts, this.closed);
    if (!run?.failure || (!now && !this.isText(editor.view, failureKey(run)))) return null;
    return markFor(run, now?.magic.line ?? 0);
  }

  private isText(view: EditorView, key: string): boolean {
    const { doc } = view.state;
    const seen = this.seen.get(view);
    if (seen?.key === key) return seen.doc.eq(doc);
    this.seen.set(view, { key, doc });
    return true;
  }
}

/** `before`: how many lines stand above the magic's, which the kernel counts as the first. */
function markFor(run: RunRow, before: number): Mark | null {
  const { node = '', message = '', traceback = '', line = null } = run.failure ?? {};
  if (line === null) return null;
  const text = node ? `${node}: ${message}` : message;
  const title = [`${run.word || run.name}, iteration ${run.iteration}`, traceback.slice(-MOST_TITLE)]
    .filter(Boolean)
    .join('\n');
  return { key: failureKey(run), line: line + before, text, title };
}

export const marks: JupyterFrontEndPlugin<void> = {
  id: 'manta-nb:marks',
  description: 'Marks the line of a cell that failed on a node.',
  autoStart: true,
  requires: [ICellEditors, IEditorExtensionRegistry],
  activate: (_app: JupyterFrontEnd, editors: ICellEditors, registry: IEditorExtensionRegistry) => {
    addStyle('cells', cellStyle);
    const layer = new Marks();
    const extension = failedLines((key) => layer.closed.add(key));
    registry.addExtension({
      name: 'manta-nb:failed-lines',
      factory: ({ inline }) => (inline ? EditorExtensionRegistry.createImmutableExtension(extension) : null),
    });
    editors.add(layer);
  },
};
