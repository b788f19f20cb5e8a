import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { copiedText, courseNames } from '../src/notebooks/course';
import { notebookFile } from '../src/notebooks/document';
import {
  copyCourse,
  folderOf,
  inside,
  newNotebook,
  type FileModel,
  type Files,
} from '../src/notebooks/files';
import { DEFAULTS, readSettings } from '../src/notebooks/options';

/** A server's files: what a path holds, or "folder". */
class FakeFiles implements Files {
  readonly held = new Map<string, unknown>([['', 'folder']]);
  /** paths that cannot be written */
  readonly locked = new Set<string>();
  get(path: string): Promise<FileModel> {
    const content = [...this.held.keys()].filter((each) => each !== '' && folderOf(each) === path);
    return Promise.resolve({ ...this.model(path), content: content.map((each) => this.model(each)) });
  }

  newUntitled({ path }: { path: string }): Promise<FileModel> {
    if (this.locked.has(path)) return refused(403);
    let number = 0;
    const name = (): string => inside(path, `Untitled${number || ''}.ipynb`);
    while (this.held.has(name())) number += 1;
    this.held.set(name(), null);
    return Promise.resolve(this.model(name()));
  }

  save(path: string, { type, content }: Record<string, unknown>): Promise<FileModel> {
    if (this.locked.has(path) || this.locked.has(folderOf(path))) return refused(403);
    this.held.set(path, type === 'directory' ? 'folder' : content);
    return Promise.resolve(this.model(path));
  }

  rename(path: string, target: string): Promise<FileModel> {
    if (this.held.has(target)) return refused(409);
    if (this.locked.has(target)) return refused(403);
    this.held.set(target, this.held.get(path));
    this.held.delete(path);
    return Promise.resolve(this.model(target));
  }

  delete(path: string): Promise<void> {
    this.held.delete(path);
    return Promise.resolve();
  }

  private model(path: string): FileModel {
    const type = this.held.get(path) === 'folder' ? 'directory' : 'file';
    return { name: path.slice(path.lastIndexOf('/') + 1), path, type };
  }
}

function refused(status: number): Promise<never> {
  return Promise.reject(Object.assign(new Error(`status ${status}`), { response: { status } }));
}

const NOTEBOOK = notebookFile([], { name: 'python3', display_name: 'Python 3' });
const NAMES = ['01_a.ipynb', '02_b.ipynb', '03_c.ipynb'];
const course = (files: Files, folder = 'here/manta-course'): ReturnType<typeof copyCourse> =>
  copyCourse(
    files,
    folder,
    NAMES,
    (name) => Promise.resolve(`course ${name}`),
    () => undefined,
  );

test('the course is copied into a folder of its own', async () => {
  const files = new FakeFiles();
  const told: string[] = [];
  const read = (name: string): Promise<string> => Promise.resolve(`course ${name}`);
  const done = await copyCourse(files, 'here/manta-course', NAMES, read, (name, at, of) =>
    told.push(`${name} ${at} ${of}`),
  );

  assert.deepEqual(done, { folder: 'here/manta-course', copied: NAMES, kept: [] });
  assert.equal(files.held.get('here/manta-course'), 'folder');
  assert.equal(files.held.get('here/manta-course/02_b.ipynb'), 'course 02_b.ipynb');
  assert.deepEqual(told, ['01_a.ipynb 0 3', '02_b.ipynb 1 3', '03_c.ipynb 2 3']);
});

test("a learner's own files are never overwritten, and what is missing is brought", async () => {
  const files = new FakeFiles();
  await course(files);
  files.held.set('here/manta-course/01_a.ipynb', 'my answers');
  files.held.delete('here/manta-course/03_c.ipynb');
  const done = await course(files);

  assert.equal(files.held.get('here/manta-course/01_a.ipynb'), 'my answers');
  assert.deepEqual(done.copied, ['03_c.ipynb']);
  assert.deepEqual(done.kept, ['01_a.ipynb', '02_b.ipynb']);
});

test('a file that comes while its notebook is on the way is kept, too', async () => {
  const files = new FakeFiles();
  const read = (name: string): Promise<string> => {
    files.held.set(`manta-course/${name}`, 'came meanwhile');
    return Promise.resolve('course');
  };
  const done = await copyCourse(files, 'manta-course', ['01_a.ipynb'], read, () => undefined);

  assert.deepEqual(done.kept, ['01_a.ipynb']);
  assert.equal(files.held.get('manta-course/01_a.ipynb'), 'came meanwhile');
});

test('where it cannot be known what is there, nothing is written', async () => {
  const files = new FakeFiles();
  files.get = () => refused(500);

  await assert.rejects(course(files), /status 500/);
  assert.deepEqual([...files.held.keys()], ['']);
});

test('a folder that cannot be written is an error', async () => {
  const files = new FakeFiles();
  files.locked.add('here');

  await assert.rejects(course(files), /status 403/);
});

test('where a file has the name of the folder, that is said', async () => {
  const files = new FakeFiles();
  files.held.set('manta-course', 'notes');

  await assert.rejects(course(files, 'manta-course'), /manta-course is a file: rename it/);
  assert.equal(files.held.get('manta-course'), 'notes');
});

test('what came of it is said', () => {
  const said = (copied: string[], kept: string[]): string =>
    copiedText({ folder: 'a/manta-course', copied, kept });

  assert.equal(said(NAMES, []), '3 notebooks of the course copied to manta-course');
  assert.equal(
    said(['03_c.ipynb'], ['01_a.ipynb', '02_b.ipynb']),
    '1 notebook of the course copied to manta-course; kept 01_a.ipynb and 02_b.ipynb',
  );
  assert.equal(said(['4'], NAMES), '1 notebook of the course copied to manta-course; kept 3 that were there');
  assert.equal(said([], NAMES), 'The course is in manta-course already: nothing was changed');
});

test('names that lead out of the folder are none of the course', () => {
  assert.deepEqual(courseNames(['01_a.ipynb', '../x.ipynb', 'a/b.ipynb', 3, 'x.py', '.ipynb']), [
    '01_a.ipynb',
  ]);
  assert.throws(() => courseNames({ error: 1 }), /not part of this installation/);
});

test('a notebook gets the first name that is free, and what is there stays', async () => {
  const files = new FakeFiles();
  files.held.set('a/swarm.ipynb', 'mine').set('a/swarm-1.ipynb', 'mine, too');
  const path = await newNotebook(files, 'a', NOTEBOOK, 'swarm');

  assert.equal(path, 'a/swarm-2.ipynb');
  assert.equal(files.held.get('a/swarm.ipynb'), 'mine');
  assert.deepEqual(files.held.get(path), NOTEBOOK);
  assert.deepEqual([...files.held.keys()].sort(), [
    '',
    'a/swarm-1.ipynb',
    'a/swarm-2.ipynb',
    'a/swarm.ipynb',
  ]);
});

test('a name that is taken while it is asked for is left alone', async () => {
  const files = new FakeFiles();
  const get = files.get.bind(files);
  files.get = (path) =>
    get(path).then((model) => {
      files.held.set('a/swarm.ipynb', 'came meanwhile');
      return model;
    });
  const path = await newNotebook(files, 'a', NOTEBOOK, 'swarm');

  assert.equal(path, 'a/swarm-1.ipynb');
  assert.equal(files.held.get('a/swarm.ipynb'), 'came meanwhile');
});

test('without a name it is untitled', async () => {
  assert.equal(await newNotebook(new FakeFiles(), 'RTC:', NOTEBOOK), 'RTC:Untitled.ipynb');
});

test('a notebook that could not be written leaves nothing behind', async () => {
  const files = new FakeFiles();
  files.save = () => refused(413);

  await assert.rejects(newNotebook(files, '', NOTEBOOK), /413/);
  assert.deepEqual([...files.held.keys()], ['']);
});

test('folders may be on a drive', () => {
  assert.deepEqual(
    ['', 'a', 'RTC:', 'RTC:a', 'a/'].map((folder) => inside(folder, 'x')),
    [...['x', 'a/x', 'RTC:x', 'RTC:a/x', 'a/x']],
  );
  assert.deepEqual(['x', 'a/x', 'RTC:x', 'RTC:a/x', 'a/b/x'].map(folderOf), [
    '',
    'a',
    'RTC:',
    'RTC:a',
    'a/b',
  ]);
});

test('the defaults are those of the schema, and each setting has a title and a description', async () => {
  const schema = JSON.parse(await readFile('schema/settings.json', 'utf8')) as {
    properties: Record<string, { default: unknown; title: string; description: string }>;
  };
  const entries = Object.entries(schema.properties);

  assert.deepEqual(Object.fromEntries(entries.map(([name, each]) => [name, each.default])), DEFAULTS);
  assert.deepEqual(
    entries.filter(([, each]) => !each.title || !each.description),
    [],
  );
});

test('settings that are wrong are the defaults', () => {
  assert.deepEqual(readSettings(null), DEFAULTS);
  assert.deepEqual(
    readSettings({
      nodes: 0,
      data: 3,
      partition: 'sizes',
      alpha: -1,
      badges: 'no',
      confirmStop: null,
      extra: 1,
    }),
    DEFAULTS,
  );
  assert.deepEqual(readSettings({ nodes: 8, data: 'wine', partition: 'shards', alpha: 0.1, badges: false }), {
    ...DEFAULTS,
    ...{ nodes: 8, data: 'wine', partition: 'shards', alpha: 0.1, badges: false },
  });
});
