import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Content } from '../src/monitor/content';
import { csv } from '../src/monitor/export';
import { passing } from '../src/monitor/reading';
import type { ChartContent } from '../src/monitor/reading';
import { facts, plainText } from '../src/saved/plain';
import { bandOf, kept, linesOf, metricOf, opened } from './savedfiles';

test('the lines of a saved run are those of the file, at the places that it gives them', () => {
  const data = kept('eight');
  const saved = opened(data);
  const { state } = saved;
  const { grids, lines } = metricOf(data, 'loss');
  const drawn = linesOf(saved, 'loss');

  assert.equal(drawn.lines.size, 8);
  for (const { node, grid, y } of lines) {
    const line = drawn.lines.get(state.nodeNames.indexOf(node));
    assert.deepEqual(Array.from(line?.value.view() ?? []), y.split(' ').map(Number));
    assert.deepEqual(Array.from(line?.x.view() ?? []), (grids[grid] ?? '').split(' ').map(Number));
  }
});

test('the mean inside iterations is that of the lines, and each iteration says what the run said', () => {
  const data = kept('eight');
  const { band, grids, lines } = metricOf(data, 'loss');
  const { running, byIteration } = linesOf(opened(data), 'loss').curves;
  const first = lines.reduce((sum, { y }) => sum + Number(y.split(' ')[4]), 0) / lines.length;

  assert.equal(running.length, 60);
  assert.equal(running.x.at(4), Number(grids[0]?.split(' ')[4]));
  assert.ok(Math.abs(running.mean.at(4) - first) < 1e-12);
  assert.deepEqual(Array.from(byIteration.mean.view()), band.mean?.split(' ').map(Number));
  assert.deepEqual(Array.from(byIteration.high.view()), band.high?.split(' ').map(Number));
  assert.equal(byIteration.n.at(0), 8);
});

test('lines of which points were left out stand where they stood', () => {
  const data = {
    version: 1,
    run: { nodes: 2, iteration: 100 },
    metrics: [
      {
        name: 'loss',
        band: { x: '0 50 99', mean: '3 2 1', low: '3 2 0.5', high: '3 2 1.5' },
        grids: ['0 49.5 99.75'],
        lines: [
          { node: 'a', grid: 0, y: '3 2 0.5' },
          { node: 'b', grid: 0, y: '3 2 1.5' },
        ],
      },
    ],
  };
  const drawn = linesOf(opened(data), 'loss');

  assert.deepEqual(Array.from(drawn.lines.get(1)?.x.view() ?? []), [0, 49.5, 99.75]);
  assert.deepEqual(Array.from(drawn.curves.byIteration.x.view()), [0, 50, 99]);
  assert.deepEqual(Array.from(drawn.curves.byIteration.n.view()), [2, 2, 2]);
});

test('above sixteen nodes there are bands, of as many nodes as the file says', () => {
  const saved = opened(kept('many'));
  const { state, more } = saved;
  const band = bandOf(saved);

  assert.equal(state.lines.metrics.size, 0);
  assert.ok(state.run?.many);
  assert.equal(band.curve.length, 30);
  assert.equal(band.curve.n.at(29), 200);
  assert.ok(state.nodes.size + more.nodes === 200);
});

test('a band without a number of nodes does not invent one', () => {
  const band = { x: '0 1', mean: '1 2', low: '0 1', high: '2 3' };
  const { curve } = bandOf(opened({ version: 1, run: {}, metrics: [{ name: 'a', band }] }));

  assert.equal(passing({ curve } as ChartContent, 1).spread, '1 to 3');
});

test('the rest of a saved run is in the state of the monitor', () => {
  const { state, more, started, seed, unread } = opened(kept('eight'));
  const { run } = state;

  assert.deepEqual([run?.name, run?.status, run?.iteration, run?.nodes_total], ['fl', 'completed', 20, 8]);
  assert.deepEqual([run?.finished, run?.can_stop, run?.can_resume], [true, false, false]);
  assert.deepEqual(
    state.graph?.tasks.map(({ alias }) => alias),
    ['worker', 'aggregator', 'scheduler'],
  );
  assert.deepEqual(
    state.tasks.map(({ state: now }) => now),
    ['done', 'done', 'done'],
  );
  assert.deepEqual(state.globals.map(({ tag, iteration }) => [tag, iteration])[0], ['learning_rate', null]);
  assert.deepEqual(
    state.results.map(({ tag, nodes }) => [tag, nodes]),
    [['model_params', 8]],
  );
  assert.deepEqual(
    state.events.map(({ kind }) => kind),
    ['nan', 'retry'],
  );
  assert.equal(state.logs.rows.at(-1)?.text, 'epoch 19: 149 images');
  assert.equal(state.logs.rows.length + more.logs, 160);
  assert.deepEqual([started, seed, unread], [1_700_000_000, 7, []]);
});

test('names that mean harm are names', () => {
  const { state } = opened(kept('failed'));

  assert.ok(state.run?.name.includes('<img'));
  assert.ok(state.nodeNames.includes('__proto__'));
  assert.deepEqual(Object.keys({}), []);
  assert.equal(state.error?.message.slice(0, 15), 'ValueError: <im');
  assert.equal(state.error?.output.length, 1);
});

test('what is said before the viewer is here: name, status, iterations, and all else as text', () => {
  const data = kept('eight');

  assert.deepEqual(facts(data), { name: 'fl', how: 'completed · iteration 20 of 20' });
  assert.deepEqual(facts(undefined), { name: 'A saved run', how: '' });
  assert.match(plainText(data), /^loss 0\.\d+ \(0\.\d+ to 0\.\d+\)\nval_acc /);
  assert.match(
    plainText(data),
    /\nevents: iteration {2}kind {2}message {2}node {2}task\n4 {2}nan {2}loss is NaN/,
  );
});

test('a band without its core is saved without it', () => {
  const band = bandOf(opened(kept('many')));
  const lines = csv({ band, curve: band.curve, metric: null } as Content, []).split('\r\n');

  assert.equal(lines[0], 'iteration,nodes,mean,low,high');
  assert.match(lines[1] ?? '', /^0,200,[\d.]+,[\d.]+,[\d.]+$/);
});
