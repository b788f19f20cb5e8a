/** What is shown of a saved run before its viewer is here, and where it cannot be drawn: text, and nothing else. */
import { fields, finite, list, numbers, table, text, whole } from './checks';
import type { Fields } from './checks';

const STATUS: readonly string[] = ['completed', 'stopped', 'failed', 'interrupted'];
const TABLES = ['nodes', 'globals', 'results', 'events', 'logs'];
const LATE: readonly string[] = ['events', 'logs'];
/** Rows, metrics and characters of a cell that are shown without a viewer. */
const ROWS = 30;
const METRICS = 12;
/** Charts that are drawn before anybody chooses. */
const FIRST = 6;
const CELL = 80;

/** Name, status and iterations, as far as they are told. */
export function facts(data: unknown): { name: string; how: string } {
  const run = fields(fields(data)?.run);
  const status = text(run?.status);
  const [iteration, iterations] = [whole(run?.iteration), whole(run?.iterations)];
  const counted =
    iteration === null ? '' : `iteration ${iteration}${iterations === null ? '' : ` of ${iterations}`}`;
  const known = STATUS.includes(status) ? status : '';
  return {
    name: text(run?.name, 100) || 'A saved run',
    how: [known, counted].filter(Boolean).join(' · '),
  };
}

/** Pixels that it will take, roughly: what comes after it shall not jump when it is drawn. */
export function heightOf(data: unknown, width: number): number {
  const told = fields(data);
  const metrics = list(told?.metrics, FIRST).length;
  // as in style.css and charts.css
  const [inside, least] = [width - 40, width >= 1000 ? 380 : 260];
  const columns = Math.max(1, Math.min(metrics, Math.floor((inside + 14) / (least + 14))));
  const charts = metrics ? 94 + Math.ceil(metrics / columns) * 296 : 90;
  return (
    (width < 500 ? 315 : 252) + charts + graphHeight(fields(told?.graph), inside) + (told?.failure ? 420 : 0)
  );
}

/** Of the drawn graph, which goes downwards where there is no room. */
function graphHeight(graph: Fields | null, width: number): number {
  if (!graph) return 0;
  const [layers, height] = [whole(graph.layers, 50) ?? 1, whole(graph.height, 200) ?? 1];
  const across = width < 560 || width / layers < 210;
  return across ? 100 + 108 * layers : 74 + 98 * Math.ceil(height / 2);
}

/** All that can be said of it without drawing. */
export function plainText(data: unknown): string {
  const told = fields(data);
  if (!told) return '';
  const error = text(fields(told.run)?.error, 1000);
  const tables = TABLES.map((name) => tableLines(name, told));
  return [[error], metricLines(told), ...tables]
    .map((lines) => lines.join('\n'))
    .filter(Boolean)
    .join('\n\n');
}

/** `loss 0.3 (0.2 to 0.5)`: what a metric was in the end. */
function metricLines(told: Fields): string[] {
  return list(told.metrics, METRICS).flatMap((each) => {
    const metric = fields(each);
    const band = fields(metric?.band);
    const [mean, low, high] = ['mean', 'low', 'high'].map((name) => numbers(band?.[name]).at(-1));
    if (!metric || mean === undefined) return [];
    return [
      `${text(metric.name, CELL)} ${mean}${low === undefined || low === high ? '' : ` (${low} to ${high ?? ''})`}`,
    ];
  });
}

function tableLines(name: string, told: Fields): string[] {
  const { rows, more } = table(told[name]);
  if (!rows.length) return [];
  // of what happened, the last
  const shown = LATE.includes(name) ? rows.slice(-ROWS) : rows.slice(0, ROWS);
  const lines = shown.map((row) => Object.values(row).map(cellOf).join('  '));
  const rest = more + rows.length - shown.length;
  const counted = rest ? ` (${rest} more not shown)` : '';
  return [`${name}: ${Object.keys(rows[0] ?? {}).join('  ')}${counted}`, ...lines];
}

function cellOf(value: unknown): string {
  return finite(value) === null ? text(value, CELL) : String(value);
}
