/**
 * After a restart a notebook's kernel knows nothing of us until a cell loads the magics. So that its past runs can be
 * shown before that, it is asked once to open our half: an evaluation without output, history or names left behind.
 *
 * Only in a notebook that is trusted, as nobody has run a cell yet; and the folder it lies in is no place to import
 * from meanwhile: a file `manta_nb.py` that came with a stranger's notebook is not ours.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Link } from '../link/link';
import { mentions } from '../panel/startcells';
import { cellsOf } from './start';

const CODE = `import os, sys
kept = sys.path[:]
try:
    if "manta_nb" not in sys.modules:
        here = os.path.realpath(os.getcwd())
        sys.path[:] = [each for each in kept if each and os.path.realpath(each) != here]
    from manta_nb.ui.panel.door import announce
    announce()
finally:
    sys.path[:] = kept
`;
/** An expression, whose names stay in a dictionary of their own; a text of JSON is one of Python, too. */
const ANNOUNCE = `exec(${JSON.stringify(CODE)}, {})`;

export class Announcer {
  /** by link: how often its kernel had restarted when it was asked last */
  private readonly asked = new WeakMap<Link, number>();

  /** Ask the kernel if it has not been asked since it started, has nothing of us, and the notebook is one of ours. */
  look(panel: NotebookPanel | null, link: Link | null): void {
    if (!panel || link?.phase !== 'absent' || link.trouble || this.asked.get(link) === link.restarts) return;
    const kernel = panel.sessionContext.session?.kernel;
    if (!kernel || kernel.isDisposed || !trusted(panel) || !mentions(cellsOf(panel))) return;
    const begun = link.restarts;
    this.asked.set(link, begun);
    void this.ask(kernel).then((heard) => {
      // it was dropped with the cells that waited behind one that failed: another occasion will come
      if (!heard && this.asked.get(link) === begun) this.asked.delete(link);
    });
  }

  private async ask(
    kernel: NonNullable<NonNullable<NotebookPanel['sessionContext']['session']>['kernel']>,
  ): Promise<boolean> {
    try {
      const { language_info: language } = await kernel.info.then(
        (info) => info as { language_info?: { name?: string } },
      );
      if (language?.name !== 'python') return true;
      const { done } = kernel.requestExecute({
        code: '',
        silent: true,
        store_history: false,
        allow_stdin: false,
        stop_on_error: false,
        user_expressions: { manta_nb: ANNOUNCE },
      });
      const reply = await done;
      return (reply?.content.status as string) !== 'aborted';
    } catch {
      return false;
    }
  }
}

/** Whether all code of the notebook was run, or trusted, by the person who has it open. */
function trusted({ content }: NotebookPanel): boolean {
  return content.widgets.every(({ model }) => model.type !== 'code' || model.trusted);
}
