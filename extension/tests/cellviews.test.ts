import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { Notebook } from '../src/lab/notebookviews';

const panel = (): NotebookPanel =>
  ({ content: { model: { cells: [{ id: 'a' }] } } }) as unknown as NotebookPanel;

test('a notebook with two views is there until the last of them is closed', () => {
  const [first, second] = [panel(), panel()];
  const notebook = new Notebook(() => undefined);
  notebook.enter(first);
  notebook.enter(second);
  const one = [notebook.leave(first), notebook.panel === second, notebook.has('a')];
  const none = [notebook.leave(second), notebook.panel, notebook.has('a')];

  assert.deepEqual(one, [false, true, true]);
  assert.deepEqual(none, [true, null, false]);
});
