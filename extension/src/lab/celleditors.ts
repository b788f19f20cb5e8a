/** The editors of notebooks' code cells that are in the page, and what their kernels know of those cells. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { EditorExtensionRegistry, IEditorExtensionRegistry } from '@jupyterlab/codemirror';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ViewPlugin, type EditorView, type PluginValue, type ViewUpdate } from '@codemirror/view';
import { Token } from '@lumino/coreutils';
import { magicIn } from '../cells/colours';
import { digest } from '../cells/digest';
import { textBelow, type Magic } from '../cells/magic';
import type { CellNow, Facts } from '../cells/status';
import { IKernels } from './kernels';
import { Notebook } from './notebookviews';

/** What draws something into editors. */
export interface Layer {
  /** The cell's text, or what its kernel knows, is another; `facts` is null while nothing is known. */
  refresh(editor: CellEditor, facts: Facts | null): void;
  /** Its place or size is another. */
  moved?(editor: CellEditor): void;
}

export interface ICellEditors {
  add(layer: Layer): void;
  /** Ask all layers to look at all cells. */
  refresh(): void;
}

export const ICellEditors = new Token<ICellEditors>(
  'manta-nb:ICellEditors',
  'The editors of the code cells in the page.',
);

/** The part of a code cell's model that is used here. */
interface CellModel {
  readonly id: string;
  readonly type: string;
  readonly executionCount: number | null;
  readonly sharedModel: { readonly notebook: object | null };
}

/** Typing pauses that long before a cell is looked at again, in milliseconds. */
const PAUSE = 120;

/** One editor of a cell; it lives as long as the editor does. */
export class CellEditor implements PluginValue {
  private known: { magic: Magic | null; digest: string } | null = null;

  constructor(
    readonly view: EditorView,
    readonly model: CellModel,
    private readonly desk: Desk,
  ) {
    desk.enter(this);
  }

  update({ docChanged, geometryChanged }: ViewUpdate): void {
    if (docChanged) {
      this.known = null;
      this.desk.edited(this);
    } else if (geometryChanged) this.desk.moved(this);
  }

  destroy(): void {
    this.desk.leave(this);
  }

  get panel(): NotebookPanel | null {
    return this.desk.notebookOf(this)?.panelOf(this.view.dom) ?? null;
  }

  /** The cell as it is now; null where it is none of ours. */
  now(): CellNow | null {
    const { magic, digest: named } = (this.known ??= this.read());
    const { id, executionCount: count } = this.model;
    return magic && { id, magic, digest: named, count };
  }

  /** Whether the notebook has a cell of that id. */
  readonly exists = (id: string): boolean => this.desk.notebookOf(this)?.has(id) ?? false;

  private read(): { magic: Magic | null; digest: string } {
    const { doc } = this.view.state;
    const magic = magicIn(doc);
    return { magic, digest: magic ? digest(textBelow(doc.toString(), magic)) : '' };
  }
}

/** All of them. */
class Desk implements ICellEditors {
  private readonly layers: Layer[] = [];
  private readonly editors = new Set<CellEditor>();
  /** by the shared model of the notebook, which its cells know */
  private readonly notebooks = new Map<object, Notebook>();
  private readonly due = new Set<CellEditor>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** when that is */
  private at = Infinity;

  constructor(
    tracker: INotebookTracker,
    private readonly kernels: IKernels,
  ) {
    tracker.forEach((panel) => this.open(panel));
    tracker.widgetAdded.connect((_, panel) => this.open(panel));
    kernels.changed.connect(() => {
      for (const notebook of this.notebooks.values()) this.follow(notebook);
    });
  }

  add(layer: Layer): void {
    this.layers.push(layer);
    this.refresh();
  }

  refresh(): void {
    for (const editor of this.editors) this.due.add(editor);
    this.soon(0);
  }

  enter(editor: CellEditor): void {
    this.editors.add(editor);
    this.due.add(editor);
    this.soon(0);
  }

  edited(editor: CellEditor): void {
    this.due.add(editor);
    this.soon(PAUSE);
  }

  moved(editor: CellEditor): void {
    for (const layer of this.layers) layer.moved?.(editor);
  }

  leave(editor: CellEditor): void {
    this.editors.delete(editor);
    this.due.delete(editor);
  }

  notebookOf({ model }: CellEditor): Notebook | null {
    const { notebook } = model.sharedModel;
    return (notebook && this.notebooks.get(notebook)) ?? null;
  }

  private open(panel: NotebookPanel): void {
    const key = panel.context.model.sharedModel;
    const notebook = this.notebooks.get(key) ?? this.made(key);
    notebook.enter(panel);
    this.follow(notebook);
    panel.disposed.connect(() => {
      if (notebook.leave(panel)) this.notebooks.delete(key);
      this.follow(notebook);
    });
  }

  private made(key: object): Notebook {
    const notebook = new Notebook(() => {
      for (const editor of this.editors) if (this.notebookOf(editor) === notebook) this.due.add(editor);
      this.soon(0);
    });
    this.notebooks.set(key, notebook);
    return notebook;
  }

  private follow(notebook: Notebook): void {
    const { panel } = notebook;
    notebook.follow(panel && this.kernels.of(panel));
  }

  /** Look at all that are due, at once for many changes that come together; never later than was promised. */
  private soon(pause: number): void {
    const at = performance.now() + pause;
    if (at >= this.at) return;
    this.at = at;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), pause);
  }

  private look(): void {
    this.at = Infinity;
    const due = [...this.due];
    this.due.clear();
    for (const editor of due) {
      const facts = this.notebookOf(editor)?.facts ?? null;
      for (const layer of this.layers) layer.refresh(editor, facts);
    }
  }
}

export const cellEditors: JupyterFrontEndPlugin<ICellEditors> = {
  id: 'manta-nb:cell-editors',
  description: 'What the cells in the page are, and what their kernels know of them.',
  autoStart: true,
  provides: ICellEditors,
  requires: [IEditorExtensionRegistry, INotebookTracker, IKernels],
  activate: (
    _app: JupyterFrontEnd,
    registry: IEditorExtensionRegistry,
    tracker: INotebookTracker,
    kernels: IKernels,
  ) => {
    const desk = new Desk(tracker, kernels);
    registry.addExtension({
      name: 'manta-nb:cell-editor',
      factory: ({ inline, model }) => {
        const cell = model as unknown as Partial<CellModel>;
        if (!inline || cell.type !== 'code' || !cell.sharedModel) return null;
        const plugin = ViewPlugin.define((view) => new CellEditor(view, cell as CellModel, desk));
        return EditorExtensionRegistry.createImmutableExtension(plugin);
      },
    });
    return desk;
  },
};
