import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineStore } from '../src/monitor/lines';

/** Rows of `[node, iteration, step, value]` of metric 0. */
type Rows = [number, number, number, number][];

function append(store: LineStore, rows: Rows): void {
  store.append(
    Int32Array.from(rows.flatMap(([node, iteration]) => [0, node, iteration])),
    Float64Array.from(rows.flatMap(([, , step, value]) => [step, value])),
  );
}

function store(rows: Rows, committed: number): LineStore {
  const lines = new LineStore();
  append(lines, rows);
  lines.settle(committed);
  return lines;
}

const near = (values: Float64Array): number[] => Array.from(values, (value) => Number(value.toFixed(6)));
const metric = (lines: LineStore) => lines.metrics.get(0) ?? assert.fail('no metric');

test('three values of iteration 4 stand at 4, 4⅓ and 4⅔, a single one at 4', () => {
  const lines = store(
    [
      [0, 4, 0, 1],
      [0, 4, 1, 2],
      [0, 4, 2, 3],
      [1, 4, NaN, 9],
    ],
    5,
  );

  assert.deepEqual(near(metric(lines).line(0).x.view()), [4, 4.333333, 4.666667]);
  assert.deepEqual(near(metric(lines).line(1).x.view()), [4]);
});

test('in the running iteration the last one says how many values there will be', () => {
  const lines = store(
    [
      [0, 0, 0, 1],
      [0, 0, 1, 1],
      [0, 0, 2, 1],
      [0, 0, 3, 1],
      [0, 1, 0, 1],
    ],
    1,
  );
  append(lines, [[0, 1, 1, 1]]);
  lines.settle(1);

  assert.deepEqual(near(metric(lines).line(0).x.view()), [0, 0.25, 0.5, 0.75, 1, 1.25]);
});

test('a committed iteration with fewer values than the one before is spread over the whole iteration', () => {
  const lines = store(
    [
      [0, 0, 0, 1],
      [0, 0, 1, 1],
      [0, 0, 2, 1],
      [0, 1, 0, 1],
      [0, 1, 1, 1],
    ],
    1,
  );
  assert.equal(lines.settle(2), true);

  assert.deepEqual(near(metric(lines).line(0).x.view()), [0, 0.333333, 0.666667, 1, 1.5]);
});

test('values that come out of order are put in the order of their steps', () => {
  const lines = store(
    [
      [0, 1, 0, 30],
      [0, 0, 5, 20],
      [0, 0, 1, 10],
    ],
    2,
  );

  assert.deepEqual(near(metric(lines).line(0).value.view()), [10, 20, 30]);
  assert.deepEqual(near(metric(lines).line(0).x.view()), [0, 0.5, 1]);
});

test('by iteration counts the last value of each node, without NaN', () => {
  const { byIteration } = metric(
    store(
      [
        [0, 0, 0, 100],
        [0, 0, 1, 1],
        [1, 0, 0, 3],
        [2, 0, 0, NaN],
      ],
      1,
    ),
  ).curves;

  assert.deepEqual([near(byIteration.mean.view()), near(byIteration.n.view())], [[2], [2]]);
  assert.deepEqual([near(byIteration.low.view()), near(byIteration.high.view())], [[1], [3]]);
});

test('lines of different lengths are compared on the grid of the shortest', () => {
  const { running } = metric(
    store(
      [
        [0, 0, 0, 1],
        [0, 0, 1, 3],
        [0, 0, 2, 5],
        [0, 0, 3, 7],
        [1, 0, 0, 10],
        [1, 0, 1, 20],
      ],
      1,
    ),
  ).curves;

  assert.deepEqual(near(running.x.view()), [0, 0.5]);
  assert.deepEqual(near(running.mean.view()), [6, 13]);
});

test('added up in pieces is the same as added up at once', () => {
  const rows: Rows = [];
  for (let iteration = 0; iteration < 20; iteration += 1) {
    for (let node = 0; node < 4; node += 1) {
      for (let step = 0; step <= node; step += 1) rows.push([node, iteration, step, iteration * node + step]);
    }
  }
  const pieces = new LineStore();
  rows.forEach((row) => {
    append(pieces, [row]);
    pieces.settle(row[1]);
  });
  pieces.settle(20);
  const [inPieces, whole] = [metric(pieces).curves, metric(store(rows, 20)).curves];

  assert.deepEqual(near(inPieces.running.x.view()), near(whole.running.x.view()));
  assert.deepEqual(near(inPieces.running.mean.view()), near(whole.running.mean.view()));
  assert.deepEqual(near(inPieces.byIteration.mean.view()), near(whole.byIteration.mean.view()));
});

test('rows that were taken back are gone, and their iteration can come again', () => {
  const lines = store(
    [
      [0, 0, 0, 1],
      [0, 1, 0, 2],
      [0, 1, 1, 3],
    ],
    1,
  );
  lines.drop(1);
  append(lines, [[0, 1, 0, 7]]);
  lines.settle(2);

  assert.deepEqual(near(metric(lines).line(0).value.view()), [1, 7]);
  assert.deepEqual(near(metric(lines).curves.byIteration.mean.view()), [1, 7]);
});
