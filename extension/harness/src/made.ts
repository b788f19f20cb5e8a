/** A run that never was: as many nodes, iterations and steps as the page's parameters say. */
import type { Message, RunInfo } from '../../src/monitor/protocol';
import type { Recorded } from './harness';

interface Size {
  nodes: number;
  iterations: number;
  steps: number;
  metrics: number;
}

const METRICS = [
  { name: 'loss', label: 'loss', lower: true },
  { name: 'accuracy', label: 'accuracy', lower: false },
  { name: 'gradient_norm', label: 'gradient_norm', lower: true },
];

export function made(query: URLSearchParams): Recorded[] {
  const size: Size = {
    nodes: Number(query.get('nodes') ?? 8),
    iterations: Number(query.get('iterations') ?? 20),
    steps: Number(query.get('steps') ?? 4),
    metrics: Number(query.get('metrics') ?? 2),
  };
  const every = Number(query.get('every') ?? 0.1);
  const messages = [full(size)];
  for (let iteration = 0; iteration < size.iterations; iteration += 1) messages.push(delta(size, iteration));
  return messages.map((message, index) => ({ ...message, t: index * every }));
}

function run(size: Size, iteration: number): RunInfo {
  const finished = iteration >= size.iterations;
  return {
    run_id: '3f2a9c41d7',
    name: 'fedavg_digits',
    status: finished ? 'completed' : 'running',
    reason: finished ? 'all iterations done' : '',
    error: '',
    iteration,
    iterations: size.iterations,
    running_iteration: finished ? null : iteration,
    started: 1_760_000_000,
    elapsed: iteration * 0.8,
    left: finished ? null : (size.iterations - iteration) * 0.8,
    finished,
    seed: 7,
    bytes_moved: iteration * size.nodes * 401_408,
    bytes_iteration: size.nodes * 200_704,
    nodes_alive: size.nodes,
    nodes_total: size.nodes,
    many: false,
    controls: 'live',
    can_stop: !finished,
    can_resume: false,
    note: '',
  };
}

function full(size: Size): Recorded {
  const tasks = ['worker', 'aggregator', 'scheduler'];
  const msg: Message = {
    op: 'full',
    seq: 1,
    run: run(size, 0),
    graph: {
      tasks: tasks.map((alias, layer) => ({ alias, layer, row: 0, label: alias, may_stop: layer === 2 })),
      edges: [
        ['worker', 'aggregator'],
        ['aggregator', 'scheduler'],
      ],
      bends: [],
      layers: 3,
      height: 1,
    },
    names: {
      nodes: Array.from({ length: size.nodes }, (_, node) => `node_${node}`),
      tasks,
      metrics: METRICS.slice(0, size.metrics),
    },
  };
  return { t: 0, msg, buffers: [] };
}

function delta(size: Size, iteration: number): Recorded {
  const keys: number[] = [];
  const values: number[] = [];
  for (let metric = 0; metric < size.metrics; metric += 1) {
    for (let node = 0; node < size.nodes; node += 1) {
      for (let step = 0; step < size.steps; step += 1) {
        keys.push(metric, node, iteration);
        values.push(step, level(size, metric, node, iteration + step / size.steps));
      }
    }
  }
  const updates: number[] = [];
  for (let node = 0; node < size.nodes; node += 1) {
    updates.push(node, 2 / (1 + iteration / 4) + noise(node, iteration) / 3, 0.4 + noise(node, 3) / 2);
  }
  const placed = {
    placed: size.nodes,
    planned: size.nodes,
    running: 0,
    failed: 0,
    seconds: 0.7,
    where: 'worker-0 ×4, worker-1 ×4',
  };
  const msg: Message = {
    op: 'delta',
    seq: iteration + 2,
    run: run(size, iteration + 1),
    tasks: [
      { alias: 'worker', state: 'done', done: size.nodes, ...placed },
      { alias: 'aggregator', state: 'done', done: 1, ...placed, placed: 1, planned: 1, where: 'worker-0' },
      { alias: 'scheduler', state: 'done', done: 1, ...placed, placed: 1, planned: 1, where: 'worker-0' },
    ],
    points: { n: keys.length / 3 },
    disagreement: [{ tag: 'weights', iteration, n: size.nodes }],
  };
  const buffers = [Int32Array.from(keys), Float64Array.from(values), Float64Array.from(updates)];
  return { t: 0, msg, buffers: buffers.map(base64) };
}

/** Between 0 and 1, the same each time. */
function noise(a: number, b: number): number {
  const x = Math.sin(a * 127.1 + b * 311.7) * 43758.5453;
  return x - Math.floor(x);
}

function level(size: Size, metric: number, node: number, x: number): number {
  const progress = 1 - Math.exp((-4 * x) / size.iterations);
  const own = 0.12 * (noise(node, metric) - 0.5) + 0.05 * (noise(node, Math.floor(x * 7)) - 0.5);
  if (metric === 0) return 2.3 * (1 - progress) * (1 + own) + 0.18 + Math.abs(own);
  return metric === 1 ? 0.1 + 0.84 * progress + own * (1.1 - progress) : 3 * (1 - progress) + own + 0.4;
}

function base64(array: Int32Array | Float64Array): string {
  const bytes = new Uint8Array(array.buffer);
  let text = '';
  for (let start = 0; start < bytes.length; start += 8192)
    text += String.fromCharCode(...bytes.subarray(start, start + 8192));
  return btoa(text);
}
