/** What is shown of a saved run: the parts that the notebook has something for. */
import { chartsPanel } from '../monitor/charts';
import { h, setAttribute, setText } from '../monitor/dom';
import { eventsPanel } from '../monitor/events';
import { bytes, count, integer } from '../monitor/format';
import { COLUMNS } from '../monitor/globals';
import { graphPanel } from '../monitor/graph';
import { logsPanel } from '../monitor/logs';
import { nodeColumns, paceOf } from '../monitor/nodecolumns';
import type { NodeEntry } from '../monitor/nodecolumns';
import type { Kernel, Panel, Part } from '../monitor/panel';
import type { GlobalChange, ResultRow } from '../monitor/protocol';
import { LocalRows } from '../monitor/rows';
import { Table } from '../monitor/table';
import type { Column } from '../monitor/table';
import { ValueView } from '../monitor/value';
import type { Saved } from './reading';

export function savedParts(saved: Saved, kernel: Kernel): Part[] {
  const { state, more } = saved;
  const past = state.metrics.length > 0;
  const metrics = past || !saved.unread.includes('metrics') ? chartsPanel() : said(UNREAD);
  const parts: Part[] = [{ tab: 'Overview', panels: [graphPanel(kernel), metrics], past }];
  if (state.nodes.size)
    parts.push({ tab: 'Nodes', panels: [nodes(saved), ...left(more.nodes, 'more node')] });
  if (state.globals.length)
    parts.push({ tab: 'Globals', panels: [globals(saved, kernel), ...left(more.globals, 'more Global')] });
  if (state.results.length)
    parts.push({ tab: 'Results', panels: [results(saved, kernel), ...left(more.results, 'more Result')] });
  if (state.logs.rows.length)
    parts.push({ tab: 'Logs', panels: [logsPanel(kernel), ...left(more.logs, 'earlier line')] });
  if (state.events.length)
    parts.push({ tab: 'Events', panels: [eventsPanel(kernel), ...left(more.events, 'earlier event')] });
  return parts;
}

const UNREAD = 'The metrics of this run cannot be read.';

function said(text: string, kind = 'mm-empty'): Panel {
  return { el: h('p', { class: kind }, text), update: () => undefined, dispose: () => undefined };
}

/** One line under a table of which the notebook has not all. */
function left(more: number, one: string): Panel[] {
  const text = `${count(more, one)} ${more === 1 ? 'is' : 'are'} with the run, not in this notebook.`;
  return more ? [said(text, 'mm-explanation')] : [];
}

interface Listed<R> {
  readonly label: string;
  readonly one: string;
  readonly columns: readonly Column<R>[];
  readonly rows: readonly R[];
  /** the column that takes the room that is left */
  readonly wide: string;
}

/** A table that never changes. */
function tablePanel<R>({ rows, ...options }: Listed<R>, open?: (row: R, table: Table<R>) => void): Panel {
  const ids = new Map(rows.map((row, at) => [row, String(at)]));
  const id = (row: R): string => ids.get(row) ?? '';
  const source = new LocalRows(options.columns, id);
  source.set(rows);
  const opened = open && { open: (row: R) => open(row, table) };
  const table: Table<R> = new Table<R>({ ...options, source, id, empty: '', ...opened });
  const el = h('section', { class: 'mp', 'aria-label': options.label }, table.el);
  return { el, update: () => table.refresh(), dispose: () => table.dispose() };
}

/** The same; a row that is picked says where its value is. */
function valuesPanel<R extends { tag: string }>(
  options: Listed<R>,
  kind: 'global' | 'result',
  kernel: Kernel,
): Panel {
  const value = new ValueView(kernel);
  const panel = tablePanel(options, ({ tag }, table) => value.open({ kind, tag, iteration: null }, table));
  panel.el.append(value.el);
  return panel;
}

/** The columns of the monitor's node table of which a notebook knows something; over the whole run. */
const NODES: Readonly<Record<string, { title: string; hint: string; width: number }>> = {
  node: { title: 'Node', hint: '', width: 8 },
  seconds: { title: 'In tasks', hint: 'How long it worked, all iterations together', width: 8 },
  bytes_out: { title: 'Sent', hint: 'Bytes that left it, all iterations together', width: 8 },
};

function nodes({ state }: Saved): Panel {
  const entries = [...state.nodes].map(([index, row]): NodeEntry => ({
    id: state.nodeNames[index] ?? '',
    row,
  }));
  const pace = paceOf(entries.map(({ row }) => row.seconds));
  const kept = nodeColumns(() => pace).flatMap((column) => {
    const { [column.key]: named } = NODES;
    return named ? [{ ...column, ...named }] : [];
  });
  return tablePanel({ label: 'Nodes', one: 'node', columns: kept, rows: entries, wide: 'seconds' });
}

/** As in the monitor's table, without what a notebook does not keep. */
const GLOBALS: readonly Column<GlobalChange>[] = COLUMNS.flatMap((column) => {
  const { [column.key]: width } = { tag: 15, type: 8.5, nbytes: 5.4, iteration: 9 } as Record<string, number>;
  return width ? [{ ...column, width }] : [];
});

function globals({ state }: Saved, kernel: Kernel): Panel {
  const options = { label: 'Globals', one: 'Global', columns: GLOBALS, rows: state.globals, wide: 'type' };
  return valuesPanel(options, 'global', kernel);
}

const RESULTS: readonly Column<ResultRow>[] = [
  {
    key: 'tag',
    title: 'Tag',
    width: 8,
    pinned: true,
    text: ({ tag }) => tag,
    draw: (cell, { tag }) => {
      setAttribute(cell, 'class', 'mp-strong mp-link mp-pinned');
      setText(cell, tag);
    },
  },
  counted('nodes', 'Nodes', ({ nodes }) => Number(nodes), integer),
  counted('nbytes', 'Size', ({ nbytes }) => nbytes, bytes),
  {
    key: 'iteration',
    title: 'Newest',
    width: 9,
    text: ({ iteration }) => `iteration ${iteration}`,
    order: ({ iteration }) => iteration,
  },
];

function counted(
  key: string,
  title: string,
  order: (row: ResultRow) => number,
  shown: (value: number) => string,
): Column<ResultRow> {
  return { key, title, width: 6, numeric: true, order, text: (row) => shown(order(row)) };
}

function results({ state }: Saved, kernel: Kernel): Panel {
  const options = { label: 'Results', one: 'Result', columns: RESULTS, rows: state.results, wide: 'tag' };
  return valuesPanel(options, 'result', kernel);
}
