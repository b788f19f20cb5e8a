/** What the kernel would answer: plausible and always the same. */
import type { Command, LogCells, Message, NodeCells } from '../../src/monitor/protocol';

export function answer(command: Command): Message | null {
  if (command.op === 'value') return value(command);
  if (command.op === 'nodes') return nodes(command);
  if (command.op === 'logs') return logs(command);
  if (command.op === 'stop') return { op: 'told', ok: true, text: 'The run stops after this iteration.' };
  if (command.op === 'resume') return { op: 'told', ok: true, text: 'The run goes on.' };
  if (command.op === 'node') return { op: 'told', ok: true, text: `${command.action} ${command.node}` };
  return null;
}

type Asked<K extends Command['op']> = Extract<Command, { op: K }>;

function value({ ask = 0, tag, node }: Asked<'value'>): Message {
  const counts = Array.from({ length: 24 }, (_, bin) => Math.round(400 * Math.exp(-((bin - 11) ** 2) / 30)));
  return {
    op: 'answer',
    ask,
    ok: true,
    text: `${tag}${node ? ` of ${node}` : ''}\narray([[ 0.01, -0.02, …],\n       [ 0.00,  0.03, …]], dtype=float32)`,
    type: 'float32 (64, 784)',
    shape: [64, 784],
    dtype: 'float32',
    nbytes: 200_704,
    stats: { min: -0.21, max: 0.23, mean: 0.0004, std: 0.051, zeros: 12, nonfinite: 0 },
    histogram: { counts, edges: Array.from({ length: 25 }, (_, edge) => -0.21 + (0.44 * edge) / 24) },
  };
}

function nodes({ ask = 0, offset, limit, filter }: Asked<'nodes'>): Message {
  const all = Array.from({ length: 10_000 }, (_, index) => `node_${index}`).filter((name) =>
    name.includes(filter),
  );
  const row = (name: string, index: number): [string, ...NodeCells] => [
    name,
    index % 7 ? 'running' : 'done',
    'worker',
    (index % 10) / 10,
    95,
    310e6,
    2 + (index % 9) / 10,
    4096,
    81920,
    180e3,
    null,
    `worker-${index % 2}`,
  ];
  return { op: 'answer', ask, ok: true, total: all.length, rows: all.slice(offset, offset + limit).map(row) };
}

function logs({ ask = 0, before = 1000, limit }: Asked<'logs'>): Message {
  const first = Math.max(0, before - limit);
  const row = (line: number): LogCells => [
    Math.floor(line / 10),
    `node_${line % 8}`,
    'worker',
    'info',
    `older line ${line}`,
  ];
  return {
    op: 'answer',
    ask,
    ok: true,
    rows: Array.from({ length: before - first }, (_, i) => row(first + i)),
    first,
    more: first > 0,
  };
}
