import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countStates, inOrder, statesText } from '../src/monitor/crowd';
import { countKinds } from '../src/monitor/events';
import { errorText } from '../src/monitor/failure';
import { globalsAt } from '../src/monitor/globals';
import { bars, spoken } from '../src/monitor/histogram';
import { toneOf } from '../src/monitor/loglist';
import { iterationsAround, labelled, level, matrixOf } from '../src/monitor/matrix';
import { paceOf } from '../src/monitor/nodecolumns';
import { killText } from '../src/monitor/nodemenu';
import type { GlobalChange, ResultRow } from '../src/monitor/protocol';
import { titleOf } from '../src/monitor/value';

function change(tag: string, iteration: number | null, version: number): GlobalChange {
  return { tag, iteration, type: 'float', nbytes: 8, version, preview: String(version) };
}

function result(iteration: number, nodes: number[] | number, nbytes = 80): ResultRow {
  return { tag: 'w', iteration, nodes, nbytes, type: 'float32 (10,)' };
}

test('Globals are those of the iteration that is looked at', () => {
  const changes = [
    change('lr', null, 1),
    change('model', null, 1),
    change('model', 0, 2),
    change('lr', 4, 2),
  ];

  const now = globalsAt(changes, null).map(({ tag, version }) => [tag, version]);
  const then = globalsAt(changes, 2).map(({ tag, version }) => [tag, version]);

  assert.deepEqual(now, [['lr', 2], ['model', 2]]); // prettier-ignore
  assert.deepEqual(then, [['lr', 1], ['model', 2]]); // prettier-ignore
});

test('the matrix ends at the newest iteration, or has the one looked at in its middle', () => {
  assert.deepEqual(iterationsAround(99, null, 4), [96, 97, 98, 99]);
  assert.deepEqual(iterationsAround(99, 50, 4), [49, 50, 51, 52]);
  assert.deepEqual(iterationsAround(99, 0, 4), [0, 1, 2, 3]);
  assert.deepEqual(iterationsAround(1, 0, 4), [0, 1]);
  assert.deepEqual(iterationsAround(-1, null, 4), []);
});

test('the matrix shows which node gave a Result in which iteration', () => {
  const matrix = matrixOf([result(0, [0, 1]), result(1, [1], 200)], 'w', null, 60);

  assert.deepEqual(
    matrix.rows.map(({ node, cells }) => [node, [...cells.keys()]]),
    [[0, [0]], [1, [0, 1]]], // prettier-ignore
  );
  assert.equal(level(matrix.rows[0]?.cells.get(0), matrix, false), 1);
  assert.equal(level(matrix.rows[1]?.cells.get(1), matrix, false), 4);
  assert.equal(level(undefined, matrix, false), 0);
});

test('of very many nodes the matrix is one row of counts', () => {
  const matrix = matrixOf([result(0, 10_000), result(1, 2500)], 'w', null, 60);

  assert.equal(matrix.rows.length, 1);
  assert.deepEqual(
    [0, 1].map((iteration) => level(matrix.rows[0]?.cells.get(iteration), matrix, true)),
    [4, 1],
  );
});

test('column numbers keep apart and inside', () => {
  const hundred = Array.from({ length: 60 }, (_, at) => 100 + at);

  const shown = [...labelled(hundred, 10)];

  assert.equal(shown[0], 100);
  assert.ok(shown.every((iteration) => iteration % 5 === 0 && iteration <= 157));
});

test('states are counted in the order of the legend, unknown ones at the end', () => {
  const counts = countStates(['odd', 'failed', 'done', 'running', 'done']);

  assert.equal(statesText(counts), '1 running, 2 done, 1 failed, 1 odd');
  assert.deepEqual([...inOrder([['done', 0], ['lost', 2]])], [['lost', 2]]); // prettier-ignore
});

test('a straggler takes twice the median, and two nodes have none', () => {
  assert.deepEqual(paceOf([1, 1.2, null, 9]), { max: 9, slow: 2.4 });
  assert.equal(paceOf([1, 9]).slow, Infinity);
  assert.equal(paceOf([]).max, 0);
});

test('killing says which nodes go with it', () => {
  const texts = [[], ['b'], ['b', 'c'], null].map((mates) => killText('a', mates, 'worker-1'));

  assert.deepEqual(texts, [
    'Kill a? No other node goes with it.',
    'Kill a? b is on the same worker and goes with it.',
    'Kill a? b and c are on the same worker and go with it.',
    'Kill a? All nodes of worker-1 go with it.',
  ]);
  const many = Array.from({ length: 20 }, (_, at) => `n${at}`);
  assert.match(killText('a', many, ''), /n5 and 14 more are on the same worker/);
});

test('kinds of events are counted, the most frequent first', () => {
  const events = ['lost', 'retry', 'retry'].map((kind) => ({
    iteration: 0,
    kind,
    message: '',
    node: '',
    task: '',
  }));

  assert.deepEqual(countKinds(events), [['retry', 2], ['lost', 1]]); // prettier-ignore
});

test('levels have their tones whatever their spelling', () => {
  assert.deepEqual(['ERROR', 'Warning', 'info', 'debug', 'odd'].map(toneOf), [
    'bad',
    'warn',
    'calm',
    'faint',
    'calm',
  ]);
});

test('a bar that is not empty is seen, and the histogram is said in a sentence', () => {
  const data = { counts: [0, 1, 1000], edges: [0, 1, 2, 3] };

  const heights = bars(data).map(({ height }) => height);

  assert.deepEqual(heights.slice(0, 2), [0, 1]);
  assert.equal(spoken(data), 'Histogram: 1,001 values from 0 to 3; most (1,000) between 2 and 3');
});

test('a value is named by tag, node and iteration', () => {
  assert.equal(titleOf({ kind: 'global', tag: 'lr', iteration: null }), 'lr, newest value');
  assert.equal(titleOf({ kind: 'result', tag: 'w', node: 'a', iteration: 3 }), 'w of a, iteration 3');
});

test('an error is copied with all that is known of it', () => {
  const error = { message: 'boom', node: 'a', task: null, where: 'line 3', traceback: null, output: ['x'] };

  assert.equal(errorText(error), 'boom\nnode: a\nwhere: line 3\nlast output:\nx');
});
