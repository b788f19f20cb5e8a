/** "Manta Course": the teaching notebooks, copied to where a learner works. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { URLExt } from '@jupyterlab/coreutils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ServerConnection } from '@jupyterlab/services';
import { copyCourse, inside, type Copied } from '../notebooks/files';
import { copiedText, courseNames } from '../notebooks/course';
import { courseCardIcon } from './icon';
import { complain, filesOf, openNotebook, reasonOf, short } from './making';
import { folderFor } from './newnotebook';

export const OPEN_COURSE = 'manta-nb:open-course';

/** A folder of its own: the notebooks write files, and nothing of a learner's is in the way. */
const FOLDER = 'manta-course';

export const course: JupyterFrontEndPlugin<void> = {
  id: 'manta-nb:course',
  description: 'Copies the teaching notebooks and opens the first.',
  autoStart: true,
  optional: [IDefaultFileBrowser, INotebookTracker],
  activate: (
    app: JupyterFrontEnd,
    browser: IDefaultFileBrowser | null,
    notebooks: INotebookTracker | null,
  ) => {
    let copying: Promise<unknown> | null = null;
    app.commands.addCommand(OPEN_COURSE, {
      label: (args) => (args.cwd === undefined ? 'Open Manta Course' : 'Manta Course'),
      caption: `Copies the teaching notebooks into ${FOLDER}/ and opens the first; files of yours stay as they are`,
      icon: (args) => (args.cwd === undefined ? undefined : courseCardIcon),
      execute: (args) =>
        (copying ??= openCourse(app, folderFor(args, browser, notebooks)).finally(() => (copying = null))),
    });
  },
};

async function openCourse(app: JupyterFrontEnd, folder: string): Promise<unknown> {
  const id = Notification.emit('Copying the Manta course …', 'in-progress', { autoClose: false });
  const settings = app.serviceManager.serverSettings;
  let copied: Copied;
  try {
    const names = courseNames(await fetched(settings, 'index.json'));
    copied = await copyCourse(
      filesOf(app.serviceManager.contents),
      inside(folder, FOLDER),
      names,
      (name) => fetched(settings, name),
      (name, done, total) => {
        Notification.update({ id, message: `Copying the Manta course: ${name} (${done + 1} of ${total})` });
      },
    );
  } catch (error) {
    Notification.dismiss(id);
    complain(`The course was not copied: ${reasonOf(error)}`);
    return null;
  }
  const message = short(copiedText(copied));
  Notification.update({ id, message, type: 'success', autoClose: 8000 });
  const [first] = [...copied.copied, ...copied.kept].sort();
  return first === undefined ? null : openNotebook(app, inside(copied.folder, first));
}

/** A file of the course, from where the extension's own files are. */
async function fetched(settings: ServerConnection.ISettings, name: string): Promise<unknown> {
  const url = URLExt.join(settings.baseUrl, 'lab/extensions/manta-nb/course', encodeURIComponent(name));
  const response = await ServerConnection.makeRequest(url, {}, settings);
  if (!response.ok)
    throw new Error(`${name} is not part of this installation: pip install --force-reinstall manta-nb`);
  return response.json();
}
