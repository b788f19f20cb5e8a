/** What a kernel may say, for tests of what is shown of it. */
import { NOTHING } from '../src/link/reading';
import type { Known } from '../src/link/link';
import type { Actions, Folds, View } from '../src/panel/data';
import type { Answer, Chosen, NodeRow, RunRow } from '../src/protocol';

export const HOSTILE = '<img src=x onerror=alert(1)>"\'&amp;\u202e';

export function node(name: string, parts: Partial<NodeRow> = {}): NodeRow {
  return { node: name, state: 'idle', task: '', worker: 'worker 0', factor: 1, data: [], ...parts };
}

export function withData(name: string, samples: number): NodeRow {
  return node(name, { data: [{ name: 'digits', samples, text: `digits: ${samples} train` }] });
}

export function run(id: string, parts: Partial<RunRow> = {}): RunRow {
  return {
    run_id: id,
    name: id,
    status: 'completed',
    reason: '',
    iteration: 20,
    iterations: 20,
    elapsed: 1,
    started: 0,
    best: '',
    live: true,
    here: true,
    can_stop: false,
    can_resume: false,
    note: '',
    word: id,
    cell: '',
    digest: '',
    failure: null,
    ...parts,
  };
}

export const RUNNING = { status: 'running', iteration: 3, can_stop: true } as const;
export const STOPPED = { status: 'stopped', iteration: 3, can_resume: true } as const;

export function view(known: Partial<Known> = {}, parts: Partial<View> = {}): View {
  const kernel = { protocol: 1, version: '0.1', controls: 'live', loaded: true } as const;
  return {
    notebook: 'fl.ipynb',
    phase: 'open',
    trouble: '',
    known: { ...NOTHING, kernel, ...known },
    start: '',
    starting: false,
    ...parts,
  };
}

export const CHOSEN: Chosen = {
  run_id: 'a',
  name: 'fl',
  note: '',
  globals: [{ tag: 'w', type: 'float32 (2,)', nbytes: 8, iteration: 1, code: 'fl.globals["w"]' }],
  results: [
    {
      tag: 'u',
      type: 'float32 (2,)',
      nbytes: 8,
      iteration: 1,
      nodes: ['node_0', 'node_1'],
      total: 2,
      code: 'x',
    },
  ],
};

export const FOLDS: Folds = { isOpen: () => true, keep: () => undefined };

/** Actions that write down what was asked for. */
export function actions(answer: () => Promise<Answer> = () => new Promise(() => undefined)): Actions & {
  log: string[];
} {
  const log: string[] = [];
  const say =
    (what: string) =>
    (on?: RunRow | string): void =>
      void log.push([what, typeof on === 'string' ? on : on?.run_id].filter(Boolean).join(' '));
  return {
    log,
    start: () => say('start')(),
    startOther: () => say('other')(),
    stop: say('stop'),
    resume: say('resume'),
    monitor: say('monitor'),
    choose: say('choose'),
    copy: say('copy'),
    insert: say('insert'),
    value: ({ kind, tag, node: of }) => {
      log.push([kind, tag, of].filter(Boolean).join(' '));
      return answer();
    },
  };
}
