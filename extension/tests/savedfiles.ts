/** Saved runs for the tests, and what is read of them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Band } from '../src/monitor/bands';
import type { MetricLines } from '../src/monitor/lines';
import { read } from '../src/saved/reading';
import type { Saved } from '../src/saved/reading';

export type Json = Record<string, unknown>;

/** What a notebook keeps of a run; `python -m tests.monitor.savedruns` makes it anew. */
export function kept(name: string): Json {
  return JSON.parse(readFileSync(`fixtures/saved/${name}.json`, 'utf8')) as Json;
}

export function opened(data: unknown): Saved {
  const saved = read(data);
  if (typeof saved === 'string') assert.fail(saved);
  return saved;
}

/** Why data is refused; "" where it is read. */
export function refused(data: unknown): string {
  const saved = read(data);
  return typeof saved === 'string' ? saved : '';
}

interface Metric {
  name: string;
  band: Record<string, string>;
  grids: string[];
  lines: { node: string; grid: number; y: string }[];
}

export function metricOf(data: Json, name: string): Metric {
  const found = (data.metrics as Metric[]).find((each) => each.name === name);
  assert.ok(found);
  return found;
}

export function linesOf({ state }: Saved, name: string): MetricLines {
  const found = state.lines.metrics.get(state.metrics.findIndex((each) => each.name === name));
  assert.ok(found);
  return found;
}

export function bandOf({ state }: Saved): Band {
  const found = state.bands.metrics.get(0);
  assert.ok(found);
  return found;
}
