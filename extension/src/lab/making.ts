/** Notebooks that are made and opened, and what is said where that fails: shared by the commands that make some. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { Contents } from '@jupyterlab/services';
import { notebookFile, pythonOf } from '../notebooks/document';
import { newNotebook, statusOf, type Files } from '../notebooks/files';
import type { Cell } from '../notebooks/template';

/** JupyterLab's contents manager as the part of it that is used. */
export function filesOf(contents: Contents.IManager): Files {
  return {
    get: (path, options) => contents.get(path, options),
    newUntitled: (options) => contents.newUntitled(options),
    save: (path, options) => contents.save(path, options),
    rename: (path, target) => contents.rename(path, target),
    delete: (path) => contents.delete(path),
  };
}

/** JupyterLab cuts off what is longer. */
const LONGEST = 140;

/** An empty cell to begin with. */
const BLANK: Cell = { kind: 'code', source: '' };

/** Make a notebook in a folder and open it; null where it could not be made, which has been said. */
export async function makeNotebook(
  app: JupyterFrontEnd,
  folder: string,
  cells: readonly Cell[],
  stem = '',
): Promise<unknown> {
  const { contents, kernelspecs } = app.serviceManager;
  await kernelspecs.ready;
  const kernel = pythonOf(kernelspecs.specs);
  if (!kernel) {
    complain('This server has no Python kernel: pip install ipykernel');
    return null;
  }
  try {
    const path = await newNotebook(
      filesOf(contents),
      folder,
      notebookFile(cells.length ? cells : [BLANK], kernel),
      stem,
    );
    return await openNotebook(app, path);
  } catch (error) {
    complain(`No notebook was made: ${reasonOf(error)}`);
    return null;
  }
}

export async function openNotebook(app: JupyterFrontEnd, path: string): Promise<unknown> {
  return app.commands.execute('docmanager:open', { path, factory: 'Notebook' });
}

/** Say it in one line, until it is put away. */
export function complain(text: string): void {
  Notification.error(short(text), { autoClose: false });
}

/** What went wrong at the server, in one line. */
export function reasonOf(error: unknown): string {
  const status = statusOf(error);
  if (status === 403 || status === 401)
    return 'this folder cannot be written; choose another in the file browser';
  if (status === 404) return 'there is no such folder';
  return error instanceof Error && error.message ? error.message : 'the server does not answer';
}

export function short(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
}
