import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CellRow, FailureInfo, ModuleRow, RunRow } from '../src/protocol';
import { magicOf } from '../src/cells/magic';
import { badgeOf, failureIn, failureOf, type CellNow, type Facts } from '../src/cells/status';

const OLD = 'old-1';
const NEW = 'new-1';

function cell(line: string, digest = OLD, id = 'a', count: number | null = 3): CellNow {
  return { id, magic: magicOf(line) ?? assert.fail(line), digest, count };
}

function row(more: Partial<CellRow> = {}): CellRow {
  return { file: '', cell: 'a', number: 3, digest: OLD, ...more };
}

function module(more: Partial<ModuleRow> = {}): ModuleRow {
  return {
    name: 'worker',
    revision: 2,
    text: 'Worker.run · one node',
    cells: [row()],
    refused: '',
    error: '',
    ...more,
  };
}

function run(more: Partial<RunRow> = {}): RunRow {
  const where = { cell: 'b', digest: OLD, failure: null, word: 'fl', note: '', reason: '', best: '' };
  const now = { status: 'running', iteration: 3, iterations: 20, elapsed: 1, started: 1 } as const;
  const flags = { live: true, here: true, can_stop: true, can_resume: false };
  return { run_id: '3f2a', name: 'fl', ...where, ...now, ...flags, ...more };
}

const FAILURE: FailureInfo = {
  message: 'ValueError: too bad',
  node: 'node_3',
  task: 'worker',
  where: 'Cell In[3], line 14',
  cell: 'a',
  line: 14,
  traceback: '',
};
const failedRun = (more: Partial<RunRow> = {}) => run({ status: 'failed', failure: FAILURE, ...more });
const facts = (modules: ModuleRow[], runs: RunRow[] = []): Facts => ({ modules, runs });
const all = () => true;
const told = (now: CellNow, known: Facts, exists: (id: string) => boolean = all) => {
  const badge = badgeOf(now, known, exists);
  return badge && [badge.look, badge.text, badge.progress];
};

const WORKER = '%%module worker';
const SWARM = '%%swarm fl';
const swarm = (digest = OLD, id = 'b') => cell(SWARM, digest, id);

const MODULES: [string, CellNow, Facts, unknown, ((id: string) => boolean)?][] = [
  ['nothing known', cell(WORKER), facts([]), null],
  ['no name yet', cell('%%module'), facts([module()]), null],
  ['another module', cell('%%module other'), facts([module()]), null],
  ['as it ran', cell(WORKER), facts([module()]), ['defined', 'worker v2', null]],
  ['edited', cell(WORKER, NEW), facts([module()]), ['differs', 'differs from worker v2', null]],
  [
    'refused',
    cell(WORKER, NEW),
    facts([module({ refused: 'a', error: 'line 4: np' })]),
    ['refused', 'worker refused', null],
  ],
  [
    'another cell was refused',
    cell(WORKER),
    facts([module({ refused: 'z', error: 'no' })]),
    ['defined', 'worker v2', null],
  ],
  [
    'defined by a later cell',
    cell(WORKER, OLD, 'c'),
    facts([module({ cells: [row({ number: 7, digest: NEW })] })]),
    ['replaced', 'replaced by In[7]', null],
  ],
  [
    'a copy of it',
    cell(WORKER, OLD, 'c'),
    facts([module({ cells: [row({ number: 7 })] })]),
    ['replaced', 'same as In[7]', null],
  ],
  ['a copy that never ran', cell(WORKER, NEW, 'c', null), facts([module()]), null],
  [
    'never run here, same text',
    cell(WORKER, OLD, 'c', null),
    facts([module()]),
    ['defined', 'worker v2', null],
    () => false,
  ],
  ['never run here, other text', cell(WORKER, NEW, 'c', null), facts([module()]), null, () => false],
  [
    'ids unknown',
    cell(WORKER),
    facts([module({ cells: [row({ cell: '' })] })]),
    ['defined', 'worker v2', null],
  ],
  [
    'ids unknown, edited',
    cell(WORKER, NEW),
    facts([module({ cells: [row({ cell: '' })] })]),
    ['differs', 'differs from worker v2', null],
  ],
  [
    'a file',
    cell('%%module worker --file model.py'),
    facts([module({ cells: [row({ cell: 'm' }), row({ file: 'model.py' })] })]),
    ['defined', 'worker v2', null],
  ],
  ['a file that is not there', cell('%%module worker --file other.py'), facts([module()]), null],
  [
    'two modules',
    cell('%%module worker,evaluate --file model.py'),
    facts([
      module({ cells: [row({ file: 'model.py' })] }),
      module({ name: 'evaluate', revision: 1, cells: [row({ file: 'model.py' })] }),
    ]),
    ['defined', 'worker v2, evaluate v1', null],
  ],
  [
    'one of two',
    cell('%%module worker,evaluate --file model.py'),
    facts([module({ cells: [row({ file: 'model.py' })] })]),
    null,
  ],
  ['failed', cell(WORKER), facts([module()], [failedRun()]), ['failed', 'failed on node_3, line 14', null]],
  [
    'failed, edited since',
    cell(WORKER, NEW),
    facts([module()], [failedRun()]),
    ['differs', 'differs from worker v2', null],
  ],
  [
    'failed, run anew since',
    cell(WORKER),
    facts([module({ cells: [row({ number: 9 })] })], [failedRun()]),
    ['defined', 'worker v2', null],
  ],
  [
    'failed, resumed',
    cell(WORKER),
    facts([module()], [run({ failure: FAILURE })]),
    ['defined', 'worker v2', null],
  ],
  [
    'failed, another run since',
    cell(WORKER),
    facts([module()], [run({ run_id: 'new' }), failedRun()]),
    ['defined', 'worker v2', null],
  ],
  [
    'failed in an earlier kernel',
    cell(WORKER),
    facts([module()], [failedRun({ live: false })]),
    ['defined', 'worker v2', null],
  ],
];

for (const [name, now, known, expected, exists] of MODULES) {
  test(`the badge of a module: ${name}`, () => assert.deepEqual(told(now, known, exists), expected));
}

const RUNS: [string, CellNow, RunRow[], unknown, ((id: string) => boolean)?][] = [
  ['no run', swarm(), [], null],
  ['of another name', cell('%%swarm other', OLD, 'b'), [run()], null],
  ['of an earlier kernel', swarm(), [run({ live: false, status: 'interrupted' })], null],
  ['of another cell', swarm(OLD, 'c'), [run()], null],
  [
    'of a cell that is not there any more',
    swarm(OLD, 'c'),
    [run()],
    ['running', 'fl 3/20', 0.15],
    () => false,
  ],
  ['about to start', swarm(), [run({ status: 'pending', iteration: 0 })], ['pending', 'fl 0/20', 0]],
  ['running', swarm(), [run()], ['running', 'fl 3/20', 0.15]],
  ['running without a limit', swarm(), [run({ iterations: null })], ['running', 'fl 3', null]],
  ['running, edited', swarm(NEW), [run()], ['running', 'fl 3/20 · text differs', 0.15]],
  ['stopping', swarm(), [run({ status: 'stopping' })], ['stopping', 'fl 3/20', 0.15]],
  [
    'completed',
    swarm(),
    [run({ status: 'completed', iteration: 20 })],
    ['completed', 'fl completed · 20/20', null],
  ],
  [
    'completed, edited',
    swarm(NEW),
    [run({ status: 'completed', iteration: 20 })],
    ['differs', 'fl completed · 20/20 · text differs', null],
  ],
  ['stopped', swarm(), [run({ status: 'stopped' })], ['stopped', 'fl stopped · 3/20', null]],
  ['failed', swarm(), [failedRun()], ['failed', 'fl failed · 3/20', null]],
  [
    'the latest of two',
    swarm(),
    [run({ run_id: 'new', iteration: 1 }), failedRun()],
    ['running', 'fl 1/20', 0.05],
  ],
];

for (const [name, now, runs, expected, exists] of RUNS) {
  test(`the badge of a swarm: ${name}`, () => assert.deepEqual(told(now, facts([], runs), exists), expected));
}

test('the badge of a failed swarm leads to the line that failed, any other to its run', () => {
  const target = (row: RunRow) => badgeOf(swarm(), facts([], [row]), all)?.target;

  assert.deepEqual(target(failedRun()), { to: 'cell', cell: 'a', line: 14 });
  assert.deepEqual(target(failedRun({ failure: { ...FAILURE, cell: '' } })), { to: 'run', run: '3f2a' });
  assert.deepEqual(target(run()), { to: 'run', run: '3f2a' });
});

test('a tooltip says which node, task and line failed, and why', () => {
  const title = badgeOf(swarm(), facts([], [failedRun()]), all)?.title ?? '';

  assert.match(title, /node_3, worker, Cell In\[3\], line 14: ValueError: too bad/);
});

test('a failure that the person has closed is not marked again', () => {
  const known = facts([module()], [failedRun()]);

  assert.equal(failureIn(cell(WORKER), known)?.run_id, '3f2a');
  assert.equal(failureIn(cell(WORKER), known, new Set(['3f2a 3'])), null);
});

test('a failure in an ordinary cell is about what ran under that number', () => {
  const known = facts([], [failedRun()]);

  assert.equal(failureOf('a', 3, known)?.run_id, '3f2a');
  assert.equal(failureOf('a', 4, known), null);
  assert.equal(failureOf('z', 3, known), null);
  assert.equal(failureOf('', 3, known), null);
});
