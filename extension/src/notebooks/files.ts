/** What is made on the server: notebooks under names that are free, and the course. Nothing is ever overwritten. */
import type { NotebookFile } from './document';

/** What is said of a file. */
export interface FileModel {
  readonly name: string;
  readonly path: string;
  readonly type: string;
  readonly content?: unknown;
}

/** The part of JupyterLab's contents manager that is used here. */
export interface Files {
  get(path: string, options?: { content?: boolean; type?: string; format?: 'text' }): Promise<FileModel>;
  newUntitled(options: { path: string; type: 'notebook' }): Promise<FileModel>;
  save(path: string, options: Record<string, unknown>): Promise<FileModel>;
  rename(path: string, target: string): Promise<FileModel>;
  delete(path: string): Promise<void>;
}

/** How often another name is tried. */
const MOST_NAMES = 100;

/** A file in a folder; folders may be on a drive: `RTC:course`. */
export function inside(folder: string, name: string): string {
  return folder === '' || folder.endsWith(':') || folder.endsWith('/') ? folder + name : `${folder}/${name}`;
}

/** Where a file lies. */
export function folderOf(path: string): string {
  const at = Math.max(path.lastIndexOf('/'), path.indexOf(':'));
  return path.slice(0, path.charAt(at) === ':' ? at + 1 : Math.max(at, 0));
}

/** `status` of an error of the server; 0 for any other. */
export function statusOf(error: unknown): number {
  const response = (error as { response?: { status?: unknown } } | null)?.response;
  return typeof response?.status === 'number' ? response.status : 0;
}

/** A new notebook in a folder: `Untitled.ipynb`, or `stem.ipynb`, `stem-1.ipynb`, … whichever is free. */
export async function newNotebook(
  files: Files,
  folder: string,
  content: NotebookFile,
  stem = '',
): Promise<string> {
  const made = await files.newUntitled({ path: folder, type: 'notebook' });
  try {
    await files.save(made.path, { type: 'notebook', format: 'json', content });
    return stem ? await named(files, folder, made.path, stem) : made.path;
  } catch (error) {
    await files.delete(made.path).catch(() => undefined);
    throw error;
  }
}

/** The server refuses a name that there is already, so that one that comes meanwhile is not lost either. */
async function named(files: Files, folder: string, path: string, stem: string): Promise<string> {
  const taken = new Set((await listed(files, folder)).map(({ name }) => name));
  for (let number = 0; number < MOST_NAMES; number += 1) {
    const name = `${stem}${number ? `-${number}` : ''}.ipynb`;
    try {
      if (!taken.has(name)) return (await files.rename(path, inside(folder, name))).path;
    } catch (error) {
      if (statusOf(error) !== 409) throw error;
    }
  }
  return path;
}

/** What a copy of the course came to. */
export interface Copied {
  readonly folder: string;
  readonly copied: readonly string[];
  /** there were files of these names, which were left as they are */
  readonly kept: readonly string[];
}

/**
 * Copy the notebooks of the course into `folder`, which is made where there is none.
 *
 * @param read the text of one of them
 * @param tell called before each that is missing: its name, how many are through, and of how many
 */
export async function copyCourse(
  files: Files,
  folder: string,
  names: readonly string[],
  read: (name: string) => Promise<unknown>,
  tell: (name: string, done: number, total: number) => void,
): Promise<Copied> {
  const name = folder.slice(folder.lastIndexOf('/') + 1).replace(/^.*:/, '');
  const there = (await listed(files, folderOf(folder))).find((each) => each.name === name);
  if (!there) await files.save(folder, { type: 'directory', format: 'json' });
  else if (there.type !== 'directory') throw new Error(`${name} is a file: rename it first`);
  const copied: string[] = [];
  const kept: string[] = (await listed(files, folder))
    .map((each) => each.name)
    .filter((each) => names.includes(each));
  const missing = names.filter((each) => !kept.includes(each));
  for (const [done, each] of missing.entries()) {
    tell(each, done, missing.length);
    const content = await read(each);
    // asked again: it may have come while this one was on its way
    if ((await listed(files, folder)).some(({ name: found }) => found === each)) kept.push(each);
    else {
      await files.save(inside(folder, each), { type: 'notebook', format: 'json', content });
      copied.push(each);
    }
  }
  return { folder, copied, kept };
}

/** What lies in a folder. (To ask for one file that is not there leaves an error in the browser's console.) */
async function listed(files: Files, folder: string): Promise<readonly FileModel[]> {
  const { content } = await files.get(folder, { content: true });
  return Array.isArray(content) ? (content as FileModel[]) : [];
}
