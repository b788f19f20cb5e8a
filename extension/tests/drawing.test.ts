import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Curve } from '../src/monitor/curve';
import { csv } from '../src/monitor/export';
import { MetricLines } from '../src/monitor/lines';
import { Place, trace } from '../src/monitor/paint';
import { iterationRange, valueRange } from '../src/monitor/scales';

const FRAME = { left: 0, top: 0, width: 100, height: 100, x0: 0, x1: 100, y0: 0, y1: 1, log: false };

/** What is drawn: `M` moves, `L` lines. */
function traced(xs: number[], ys: number[], frame = FRAME): string[] {
  const drawn: string[] = [];
  const path = {
    moveTo: (x: number, y: number) => drawn.push(`M${x},${y}`),
    lineTo: (x: number, y: number) => drawn.push(`L${x},${y}`),
  };
  trace(path as unknown as Path2D, new Place(frame), xs, ys, 0, xs.length);
  return drawn;
}

test('a value that is no number leaves a gap', () => {
  assert.deepEqual(traced([0, 10, 20, 30], [0, NaN, 1, 0.5]), [
    'M0,100',
    'L0,100',
    'M20,0',
    'L20,0',
    'L30,50',
  ]);
});

test('ten thousand points are no more lines than the plot has columns, and keep their peak', () => {
  const xs = Array.from({ length: 10_000 }, (_, index) => index / 100);
  const drawn = traced(
    xs,
    xs.map((x) => (x === 50.5 ? 1 : 0.25)),
  );

  assert.ok(drawn.length <= 2 * 101, `${drawn.length} lines`);
  assert.ok(drawn.some((line) => line.endsWith(',0')));
});

test('a logarithm has no place for zero', () => {
  const frame = { ...FRAME, y0: 0.01, y1: 1, log: true };

  assert.deepEqual(traced([0, 10, 20], [1, 0, 0.1], frame), ['M0,0', 'L0,0', 'M20,50', 'L20,50']);
});

test('axes stand still while values move a little', () => {
  assert.deepEqual(valueRange(0.11, 0.93, false), valueRange(0.1, 0.94, false));
  assert.deepEqual(
    [valueRange(NaN, NaN, false), valueRange(5, 5, false)],
    [
      [0, 1],
      [4.5, 5.5],
    ],
  );
});

test('the ends of the axis hold every value, whatever their size', () => {
  for (const [low, high] of [
    [0, 1e-9],
    [-3, 1000],
    [0.001, 0.0011],
    [1e12, 3e12],
  ] as const) {
    const [bottom, top] = valueRange(low, high, false);
    assert.ok(bottom <= low && high <= top, `${low} to ${high} in ${bottom} to ${top}`);
  }
});

test('values as far apart as numbers can be still have an axis', () => {
  assert.ok(valueRange(-1e308, 1e308, false).every(Number.isFinite));
});

test('a short run shows all its iterations, a long one grows', () => {
  assert.deepEqual(iterationRange(3, 20, false, false), [0, 19]);
  assert.deepEqual(iterationRange(3.5, 20, true, false), [0, 20]);
  assert.deepEqual(iterationRange(120, 1000, false, false), [0, 150]);
  assert.deepEqual(iterationRange(7, 1000, false, true), [0, 7]);
});

test('a node whose name is a formula stays a name in a spreadsheet', () => {
  const metric = new MetricLines();
  metric.line(0).push(0, NaN, 0.5);
  const content = { curve: new Curve(), metric, band: null, thin: [], picked: false, choice: '' };
  const text = csv({ ...content, highlight: null, range: [0, 1], cut: null }, ['=HYPERLINK("x")']);

  assert.equal(text, 'node,iteration,x,value\r\n"\'=HYPERLINK(""x"")",0,0,0.5\r\n');
});
