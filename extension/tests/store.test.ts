import assert from 'node:assert/strict';
import { test } from 'node:test';
import { floats } from '../src/monitor/protocol';
import type { Update } from '../src/monitor/protocol';
import { apply, emptyState } from '../src/monitor/store';

const view = (array: Int32Array | Float64Array): DataView => new DataView(array.buffer);
const ints = (...values: number[]): DataView => view(Int32Array.from(values));
const reals = (...values: number[]): DataView => view(Float64Array.from(values));

const full: Update = {
  op: 'full',
  seq: 1,
  names: { nodes: ['node_0'], tasks: ['worker'], metrics: [{ name: 'loss', label: 'loss', lower: true }] },
};

test('a buffer is read wherever it stands', () => {
  const bytes = new Uint8Array(17);
  bytes.set(new Uint8Array(Float64Array.of(1.5, -2).buffer), 1);

  assert.deepEqual([...floats(new DataView(bytes.buffer, 1, 16))], [1.5, -2]);
});

test('a full message replaces whatever was known', () => {
  const state = emptyState();
  apply(state, { ...full, events: [[0, 'lost', 'gone', 'node_0', null]] }, []);
  const changed = apply(state, { ...full, seq: 7 }, []);

  assert.deepEqual([state.seq, state.nodeNames, state.events], [7, ['node_0'], []]);
  assert.ok(changed.has('events') && changed.has('points'));
});

test('names are appended, and numbers in rows mean them', () => {
  const state = emptyState();
  apply(state, full, []);
  const changed = apply(
    state,
    {
      op: 'delta',
      seq: 2,
      names: { nodes: ['node_1'] },
      nodes: { 1: ['running', 0, 0.5, null, null, 3, 10, 20, null, null, 'worker-0'] },
      logs: { first: 0, rows: [[0, 1, 'worker', 'info', '<b>hello</b>']], skipped: 0 },
    },
    [],
  );

  assert.deepEqual([...changed].sort(), ['logs', 'names', 'nodes']);
  assert.equal(state.nodes.get(1)?.task, 'worker');
  assert.deepEqual(state.logs.rows[0], {
    iteration: 0,
    node: 'node_1',
    task: 'worker',
    level: 'info',
    text: '<b>hello</b>',
  });
});

test('points come before the buffers of the disagreement', () => {
  const state = emptyState();
  apply(state, full, []);
  apply(
    state,
    {
      op: 'delta',
      seq: 2,
      points: { n: 1 },
      disagreement: [
        { tag: 'a', iteration: 0, n: 1 },
        { tag: 'b', iteration: 0, n: 2 },
      ],
    },
    [ints(0, 0, 0), reals(NaN, 0.25), reals(0, 1, 0.9), reals(0, 2, 0.8, 1, 3, -0.7)],
  );

  assert.equal(state.lines.metrics.get(0)?.line(0).value.at(0), 0.25);
  assert.deepEqual([...(state.disagreement[1]?.cosine ?? [])], [0.8, -0.7]);
  assert.deepEqual([...(state.disagreement[1]?.node ?? [])], [0, 1]);
});

test('a row of a band replaces the earlier one of its iteration', () => {
  const state = emptyState();
  apply(state, full, []);
  const band = (iteration: number, mean: number): void => {
    apply(state, { op: 'delta', seq: 2, bands: { n: 1 } }, [
      ints(0, iteration, 9),
      reals(mean, 0, 1, 0.2, 0.8),
    ]);
  };
  band(0, 0.5);
  band(1, 0.6);
  band(1, 0.7);

  assert.deepEqual([...(state.bands.metrics.get(0)?.curve.mean.view() ?? [])], [0.5, 0.7]);
  assert.deepEqual([...(state.bands.metrics.get(0)?.p90.view() ?? [])], [0.8, 0.8]);
});

test('log lines that follow the last one are appended, others start anew', () => {
  const state = emptyState();
  const line = (first: number, text: string): void => {
    apply(
      state,
      { op: 'delta', seq: 1, logs: { first, rows: [[0, null, null, 'info', text]], skipped: 0 } },
      [],
    );
  };
  line(5, 'a');
  line(6, 'b');
  assert.deepEqual([state.logs.first, state.logs.rows.map(({ text }) => text)], [5, ['a', 'b']]);
  line(90, 'c');

  assert.deepEqual([state.logs.first, state.logs.rows.map(({ text }) => text)], [90, ['c']]);
});
