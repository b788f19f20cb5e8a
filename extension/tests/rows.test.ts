import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalRows, type Readable, arranged, tabSeparated, tsvCell, windowOf } from '../src/monitor/rows';

interface Row {
  name: string;
  size: number | null;
}

const COLUMNS: Readable<Row>[] = [
  { key: 'name', title: 'Name', text: ({ name }) => name },
  { key: 'size', title: 'Size', text: ({ size }) => String(size ?? '–'), order: ({ size }) => size },
];
const ROWS: Row[] = [
  { name: 'node_10', size: 3 },
  { name: 'node_9', size: null },
  { name: 'node_1', size: 7 },
];
const PLAIN = { key: null, descending: false, filter: '' };

function names(rows: readonly Row[]): string[] {
  return rows.map(({ name }) => name);
}

test('a window over 10,000 rows holds those in sight and a few more', () => {
  const middle = windowOf(28 * 5000, 280, 28, 10_000);

  assert.deepEqual(middle, { first: 4997, last: 5014 });
});

test('a window never leaves the list, and a box without height holds nothing', () => {
  const end = windowOf(28 * 10_000, 280, 28, 10_000);

  assert.equal(end.last, 10_000);
  assert.ok(end.first < end.last);
  assert.deepEqual(windowOf(0, 0, 28, 10_000), { first: 0, last: 0 });
});

test('numbers in names are sorted as numbers', () => {
  const sorted = arranged(ROWS, COLUMNS, { ...PLAIN, key: 'name' });

  assert.deepEqual(names(sorted), ['node_1', 'node_9', 'node_10']);
});

test('what is missing comes last in both directions', () => {
  const up = arranged(ROWS, COLUMNS, { ...PLAIN, key: 'size' });
  const down = arranged(ROWS, COLUMNS, { ...PLAIN, key: 'size', descending: true });

  assert.deepEqual(names(up), ['node_10', 'node_1', 'node_9']);
  assert.deepEqual(names(down), ['node_1', 'node_10', 'node_9']);
});

test('a filter looks in every column, or in the one that it names', () => {
  const anywhere = arranged(ROWS, COLUMNS, { ...PLAIN, filter: '1' });
  const named = arranged(ROWS, COLUMNS, { ...PLAIN, filter: 'size: 7' });
  const colon = arranged([{ name: 'a: b', size: 1 }], COLUMNS, { ...PLAIN, filter: 'a: b' });

  assert.deepEqual(names(anywhere), ['node_10', 'node_1']);
  assert.deepEqual(names(named), ['node_1']);
  assert.equal(colon.length, 1);
});

test('new rows keep the order and the filter that were chosen', () => {
  const rows = new LocalRows(COLUMNS, ({ name }) => name);
  rows.arrange({ key: 'size', descending: true, filter: 'node' });

  rows.set([...ROWS, { name: 'node_2', size: 9 }, { name: 'other', size: 99 }]);

  assert.equal(rows.total, 4);
  assert.equal(rows.at(0)?.name, 'node_2');
  assert.equal(rows.indexOf('node_1'), 1);
});

test('a copied cell holds no tab or line break', () => {
  assert.equal(tsvCell('a\tb\nc'), 'a b c');
  assert.equal(tabSeparated(COLUMNS, ROWS.slice(0, 1)), 'Name\tSize\nnode_10\t3\n');
});

test('a spreadsheet takes no copied cell for a formula, and numbers stay numbers', () => {
  const cells = ['=1+1', '@SUM(A1)', '+1|cmd', '-0.5', '-1.2e-5', '3 kB'].map(tsvCell);

  assert.deepEqual(cells, ["'=1+1", "'@SUM(A1)", "'+1|cmd", '-0.5', '-1.2e-5', '3 kB']);
});
