/** The links of this page: one a kernel, and which of them is that of the active notebook. */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { ISessionContext } from '@jupyterlab/apputils';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import { Token } from '@lumino/coreutils';
import { type ISignal, Signal } from '@lumino/signaling';
import type { Connection } from '../link/connection';
import { KernelLink } from '../link/kernellink';
import type { Link } from '../link/link';

export interface IKernels {
  /** of the active notebook; null where there is none, or where it has no kernel */
  readonly current: Link | null;
  /** the active notebook: the last one that had the focus */
  readonly panel: NotebookPanel | null;
  /** another notebook is the active one, or a notebook has another kernel */
  readonly changed: ISignal<IKernels, void>;
  of(panel: NotebookPanel): Link | null;
  ofContext(context: ISessionContext): Link | null;
  /** of the kernel with that id */
  ofKernel(id: string): Link | null;
  /** the notebooks of that kernel; first the one whose widgets live: its line carries the comms */
  panels(link: Link): NotebookPanel[];
}

export const IKernels = new Token<IKernels>(
  'manta-nb:IKernels',
  'The connections of this page to the manta_nb of its kernels.',
);

interface Line {
  readonly connection: Kernel.IKernelConnection;
  readonly link: KernelLink;
  /** whether no notebook has the comms of that kernel any more: they went with one */
  readonly left: boolean;
}

class Kernels implements IKernels {
  readonly changed: Signal<IKernels, void> = new Signal<IKernels, void>(this);
  /** by kernel id */
  private readonly lines = new Map<string, Line>();
  private readonly contexts = new Set<ISessionContext>();

  constructor(private readonly tracker: INotebookTracker) {
    tracker.forEach((panel) => this.add(panel));
    tracker.widgetAdded.connect((_, panel) => this.add(panel));
    tracker.currentChanged.connect(() => this.changed.emit());
    // a page that goes says so, or the kernel would speak to it for ever
    window.addEventListener('pagehide', () => {
      for (const { link } of this.lines.values()) link.dispose();
      this.lines.clear();
    });
    window.addEventListener('pageshow', () => this.reconcile());
  }

  get panel(): NotebookPanel | null {
    return this.tracker.currentWidget;
  }

  get current(): Link | null {
    return this.panel && this.of(this.panel);
  }

  of(panel: NotebookPanel): Link | null {
    return this.ofContext(panel.sessionContext);
  }

  ofContext(context: ISessionContext): Link | null {
    const kernel = context.isDisposed ? null : context.session?.kernel;
    return (kernel && this.lines.get(kernel.id)?.link) ?? null;
  }

  ofKernel(id: string): Link | null {
    return this.lines.get(id)?.link ?? null;
  }

  panels(link: Link): NotebookPanel[] {
    const found = this.tracker.filter((panel) => this.of(panel) === link);
    const line = [...this.lines.values()].find((each) => each.link === link);
    const has = (panel: NotebookPanel): number =>
      panel.sessionContext.session?.kernel === line?.connection ? 0 : 1;
    return found.sort((one, other) => has(one) - has(other));
  }

  private add(panel: NotebookPanel): void {
    const context = panel.sessionContext;
    if (this.contexts.has(context)) return;
    this.contexts.add(context);
    context.kernelChanged.connect(() => this.reconcile());
    // a session that fails comes back under another connection without another kernel
    context.sessionChanged.connect(() => this.reconcile());
    context.disposed.connect(() => {
      this.contexts.delete(context);
      this.reconcile();
    });
    this.reconcile();
  }

  /**
   * One link for each kernel that a notebook has, on the connection that carries its comms: of several to one kernel
   * JupyterLab gives them to the first.
   */
  private reconcile(): void {
    const wanted = new Map<string, Kernel.IKernelConnection>();
    for (const { session } of this.contexts) {
      const kernel = session?.kernel;
      if (!kernel || kernel.isDisposed) continue;
      const other = wanted.get(kernel.id);
      if (!other || (!other.handleComms && kernel.handleComms)) wanted.set(kernel.id, kernel);
    }
    /** the kernels whose comms went with a notebook */
    const left = new Set<string>();
    for (const [id, line] of this.lines) {
      if (wanted.get(id) === line.connection) continue;
      if (line.connection.handleComms || line.left) left.add(id);
      // first: who hears of its end may ask what the kernel has now
      this.lines.delete(id);
      line.link.dispose();
    }
    for (const [id, connection] of wanted) {
      if (this.lines.has(id)) continue;
      const link = new KernelLink(connection as unknown as Connection, { left: left.has(id) });
      this.lines.set(id, { connection, link, left: left.has(id) && !connection.handleComms });
    }
    this.changed.emit();
  }
}

export const kernels: JupyterFrontEndPlugin<IKernels> = {
  id: 'manta-nb:kernels',
  description: 'The connections of this page to the manta_nb of its kernels.',
  autoStart: true,
  provides: IKernels,
  requires: [INotebookTracker],
  activate: (_app, tracker: INotebookTracker) => new Kernels(tracker),
};
