import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countsText, sentence, shares } from '../src/monitor/graphbox';
import { drawingOf } from '../src/monitor/graphlayout';
import type { Graph, GraphTask, TaskRow } from '../src/monitor/protocol';

function task(alias: string, layer: number, row = 0, may_stop = false): GraphTask {
  return { alias, layer, row, label: alias, may_stop };
}

const CHAIN: Graph = {
  tasks: [task('worker', 0), task('aggregator', 1), task('scheduler', 2, 0, true)],
  edges: [['worker', 'aggregator'], ['aggregator', 'scheduler']], // prettier-ignore
  bends: [],
  layers: 3,
  height: 1,
};
const ROW: TaskRow = {
  alias: 'worker',
  state: 'running',
  placed: 8,
  planned: 8,
  running: 2,
  done: 5,
  failed: 1,
  seconds: 1.2,
  where: 'worker-0 ×8',
};

test('a graph flows to the right where there is room, and down where there is not', () => {
  const wide = drawingOf(CHAIN, 1000);
  const narrow = drawingOf(CHAIN, 500);

  assert.ok((wide.boxes.get('scheduler')?.x ?? 0) > (wide.boxes.get('worker')?.x ?? 0));
  assert.ok((narrow.boxes.get('scheduler')?.y ?? 0) > (narrow.boxes.get('worker')?.y ?? 0));
});

test('no drawing is wider than its room, from 320 pixels on', () => {
  for (const width of [320, 480, 559, 560, 600, 800, 1400]) {
    const drawing = drawingOf(CHAIN, width);

    assert.ok(drawing.width <= width, `${drawing.width} in ${width}`);
  }
});

test('boxes lie inside the drawing and none over another', () => {
  const forked = { ...CHAIN, tasks: [...CHAIN.tasks, task('logger', 2, 2)], height: 3 };
  for (const width of [400, 1000]) {
    const drawing = drawingOf(forked, width);
    const boxes = [...drawing.boxes.values()];

    for (const a of boxes) {
      assert.ok(a.x >= 0 && a.y >= 0 && a.x + a.width <= drawing.width && a.y + a.height <= drawing.height);
      const over = boxes.filter((b) => b !== a && a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height); // prettier-ignore
      assert.equal(over.length, 0);
    }
  }
});

test('an edge over a layer passes through its bend', () => {
  const bent: Graph = {
    ...CHAIN,
    edges: [...CHAIN.edges, ['worker', 'scheduler']],
    bends: [{ source: 'worker', target: 'scheduler', layer: 1, row: 2 }],
    height: 3,
  };

  const drawing = drawingOf(bent, 1000);

  assert.equal(drawing.edges.length, 3);
  const [direct, through] = [drawing.edges[0]?.path ?? '', drawing.edges[2]?.path ?? ''];
  assert.equal(direct.match(/C/g)?.length, 1);
  assert.equal(through.match(/C/g)?.length, 2);
});

test('only tasks of the last layer point at the end', () => {
  const early = {
    ...CHAIN,
    tasks: [task('worker', 0, 0, true), task('aggregator', 1), task('scheduler', 2)],
  };

  assert.equal(drawingOf(early, 1000).end, null);
  assert.equal(drawingOf(CHAIN, 1000).end?.arrows.length, 1);
});

test('the loop points at every first task', () => {
  const two = { ...CHAIN, tasks: [...CHAIN.tasks, task('sampler', 0, 2)], height: 3 };

  assert.equal(drawingOf(CHAIN, 1000).loop.heads.length, 1);
  assert.equal(drawingOf(two, 1000).loop.heads.length, 2);
});

test('a task counts its nodes in words, in signs where there is no room, or waits', () => {
  const waiting = { ...ROW, placed: 0, planned: 1, running: 0, done: 0, failed: 0 };

  assert.equal(countsText(ROW), '5 done · 2 running · 1 failed of 8');
  assert.equal(countsText(ROW, true), '✓ 5 · ▶ 2 · ✗ 1 of 8');
  assert.equal(countsText(waiting), 'waiting · 1 node');
  assert.equal(countsText(undefined), 'waiting');
  assert.equal(countsText(waiting, false, 'not running'), 'not running · 1 node');
});

test('a screen reader hears state, counts, time and place', () => {
  const said = sentence('worker ×8', ROW);

  assert.equal(said, 'worker ×8: running, 5 done · 2 running · 1 failed of 8, 1.2 s, on worker-0 ×8');
});

test('the bar never grows over its end', () => {
  const more = shares({ ...ROW, placed: 4, planned: 4 });

  assert.deepEqual(shares(ROW), [5 / 8, 2 / 8, 1 / 8]);
  assert.equal(
    more.reduce((sum, share) => sum + share),
    1,
  );
});
