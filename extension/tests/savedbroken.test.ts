import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numbers, table, text, whole } from '../src/saved/checks';
import { facts, heightOf, plainText } from '../src/saved/plain';
import { read } from '../src/saved/reading';
import { type Json, kept, opened, refused } from './savedfiles';

test('numbers are what they say, and nothing else is one', () => {
  assert.deepEqual(numbers('0 -1.5e-3 nan inf -inf 0x10 1_0 Infinity 7'), [0, -0.0015, NaN, Infinity, -Infinity, NaN, NaN, NaN, 7]); // prettier-ignore
  assert.deepEqual([numbers(''), numbers(7), numbers(null), numbers([1])], [[], [], [], []]);
  assert.equal(numbers('1 '.repeat(1_000_000)).length, 2000);
  assert.equal(numbers('9'.repeat(5_000_000)).length, 1);
});

test('texts are cut, counts are whole, tables are rows by their columns', () => {
  assert.equal(text('x'.repeat(1_000_000), 10), 'xxxxxxxxx…');
  assert.deepEqual([text(3), whole(-1), whole(1.5), whole('3'), whole(3)], ['', null, null, null, 3]);
  assert.deepEqual(table({ columns: ['a', '__proto__'], rows: [[1, 2], 'no', [3]], more: 4 }).more, 4);
  assert.equal(table({ columns: ['a'], rows: Array(1_000_000).fill([1]) }).rows.length, 1000);
  assert.equal(table({ columns: ['a'], rows: Array(1_000_000).fill([1]) }).more, 999_000);
});

const JUNK: readonly unknown[] = [
  null,
  undefined,
  true,
  -1,
  1e308,
  0.5,
  '',
  'nan inf -inf 1 0 -5 99999999999',
  'x'.repeat(100_000),
  [],
  [null, 3, [], {}, 'x'],
  {},
  { columns: 3, rows: [3, [{}]], more: 'x' },
  Array(3000).fill('0 1 2'),
  JSON.parse('{"__proto__": {"x": 1}, "constructor": 2}'),
];

/** Each place of the data, at most two of each list. */
function places(data: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof data !== 'object' || data === null) return [path];
  const inside = Object.entries(data).slice(0, Array.isArray(data) ? 2 : undefined);
  return [path, ...inside.flatMap(([name, value]) => places(value, [...path, name]))];
}

function replaced(data: unknown, [name, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (name === undefined) return value;
  const copy: Json = Array.isArray(data)
    ? ([...(data as unknown[])] as unknown as Json)
    : { ...(data as Json) };
  copy[name] = replaced(copy[name], rest, value);
  return copy;
}

test('whatever stands in the file, it is read or refused, and neither takes long', () => {
  const data = kept('eight');
  let wholes = 0;
  for (const path of places(data)) {
    for (const junk of JUNK) {
      const broken = replaced(data, path, junk);
      const begun = performance.now();
      const saved = read(broken);
      const said = [facts(broken).name, plainText(broken), String(heightOf(broken, 900))];
      assert.ok(performance.now() - begun < 500, path.join('.'));
      assert.ok(said.every((line) => line.length < 60_000));
      if (typeof saved === 'string') continue;
      wholes += 1;
      for (const found of saved.state.lines.metrics.values())
        assert.ok(Array.from(found.curves.running.x.view()).every((x) => x >= 0 && x <= 1e7));
    }
  }
  assert.ok(wholes > 1000);
});

test('a run of a newer form, or none at all, is refused in one line', () => {
  for (const data of [
    null,
    3,
    'x',
    [],
    {},
    { version: 1 },
    { version: '1', run: {} },
    { version: 1, run: 3 },
  ])
    assert.match(refused(data), /cannot be read/);
  assert.match(refused({ version: 2, run: { name: 'fl' } }), /newer manta_nb \(version 2 .*pip install/);
});

test('a part that is broken is left out and named', () => {
  const { unread, state } = opened({
    ...kept('eight'),
    graph: { tasks: 'x' },
    logs: 7,
    metrics: [{ name: 'a' }],
  });

  assert.deepEqual(unread, ['graph', 'metrics', 'logs']);
  assert.equal(state.graph, null);
  assert.equal(state.nodes.size, 8);
});

test('a huge file is read in a moment, and not all of it', () => {
  const line = (node: number): object => ({ node: `n${node}`, grid: 0, y: '1 '.repeat(100_000) });
  const grid = Array.from({ length: 100_000 }, (_, at) => at).join(' ');
  const one = { name: 'a', band: {}, grids: [grid], lines: Array.from({ length: 500 }, (_, at) => line(at)) };
  const begun = performance.now();
  const { state, unread } = opened({ version: 1, run: {}, metrics: Array(40).fill(one) });

  assert.ok(performance.now() - begun < 5000);
  assert.ok([...state.lines.metrics.values()].reduce((sum, { points }) => sum + points, 0) < 500_000);
  assert.deepEqual(unread, ['metrics']);
});
