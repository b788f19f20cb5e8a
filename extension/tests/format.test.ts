import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, clock, count, duration, integer, number } from '../src/monitor/format';

test('numbers are short, and say what is not one', () => {
  const shown = [0, 0.912345, 1437, 12345.6, 0.000012, -0.5, NaN, Infinity, null].map((value) =>
    number(value),
  );

  assert.deepEqual(shown, ['0', '0.9123', '1,437', '12,346', '1.2e-5', '−0.5', 'NaN', '∞', '–']);
});

test('bytes are in powers of 1000', () => {
  const shown = [0, 999, 1200, 34_000_000, 999_600, 1.5e9].map((value) => bytes(value));

  assert.deepEqual(shown, ['0 B', '999 B', '1.2 kB', '34 MB', '1 MB', '1.5 GB']);
});

test('durations are in the words of the Python side', () => {
  const shown = [0.05, 0.8, 12, 65, 660, 7380].map((value) => duration(value));

  assert.deepEqual(shown, ['50 ms', '0.8 s', '12 s', '1 min 5 s', '11 min', '2 h 3 min']);
});

test('a clock keeps two digits for what ticks', () => {
  assert.deepEqual([7, 725, 3753].map(clock), ['0:07', '12:05', '1:02:33']);
});

test('thousands are set apart, and one is not many', () => {
  assert.deepEqual(
    [integer(1234567), count(1, 'node'), count(10000, 'node')],
    ['1,234,567', '1 node', '10,000 nodes'],
  );
});
