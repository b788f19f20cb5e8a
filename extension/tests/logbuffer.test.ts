import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVERYTHING, LogBuffer, lineText } from '../src/monitor/logbuffer';
import type { LogRow } from '../src/monitor/store';

function row(at: number, level = 'info'): LogRow {
  return { iteration: 0, node: `node_${at % 2}`, task: 'train', level, text: `line ${at}` };
}

function block(first: number, last: number): { rows: LogRow[]; first: number; skipped: number } {
  return { rows: Array.from({ length: last - first }, (_, at) => row(first + at)), first, skipped: 0 };
}

function texts(buffer: LogBuffer): string[] {
  return buffer.listed().map(({ text }) => text);
}

test('lines that come again are not listed twice, and lines that the store dropped stay', () => {
  const buffer = new LogBuffer();

  buffer.take(block(0, 5));
  buffer.take(block(3, 7));

  assert.deepEqual(texts(buffer), ['line 0', 'line 1', 'line 2', 'line 3', 'line 4', 'line 5', 'line 6']);
});

test('after a gap it begins again', () => {
  const buffer = new LogBuffer();
  buffer.take(block(0, 5));

  buffer.take(block(9, 11));

  assert.deepEqual(texts(buffer), ['line 9', 'line 10']);
  assert.equal(buffer.start, 9);
});

test('earlier lines come first, and none is asked for before the first', () => {
  const buffer = new LogBuffer();
  buffer.take(block(2, 4));
  assert.ok(buffer.hasEarlier);

  const added = buffer.prepend([row(0), row(1)], 0, false);

  assert.equal(added, 2);
  assert.deepEqual(texts(buffer), ['line 0', 'line 1', 'line 2', 'line 3']);
  assert.ok(!buffer.hasEarlier);
});

test('another filter forgets the earlier lines that were asked for with the last one', () => {
  const buffer = new LogBuffer();
  buffer.take(block(4, 8));
  buffer.prepend([row(1)], 1, true);

  buffer.setFilter({ ...EVERYTHING, node: 'node_1', text: 'LINE' });

  assert.deepEqual(texts(buffer), ['line 5', 'line 7']);
  assert.equal(buffer.start, 4);
});

test('a line as text holds its place, and no empty words', () => {
  assert.equal(lineText(row(3)), '[0] node_1 train info: line 3');
  assert.equal(lineText({ iteration: null, node: '', task: '', level: 'info', text: 'hi' }), 'info: hi');
});
