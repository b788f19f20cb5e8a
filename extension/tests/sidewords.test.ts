import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mentions, ownStart, startPlan } from '../src/panel/startcells';
import { StartForm } from '../src/panel/startform';
import { ago, lastWords, statusLine } from '../src/panel/words';
import { RUNNING, run, view } from './sidedata';
import { all, one, pretend } from './sidedom';

pretend();

const code = (source: string): { kind: string; source: string } => ({ kind: 'code', source });
const text = (source: string): { kind: string; source: string } => ({ kind: 'markdown', source });
const LINE = '%manta start --nodes 8';

test('times are said as people say them', () => {
  const now = new Date(2026, 2, 12, 15, 0).getTime() / 1000;

  assert.deepEqual(
    [5, 300, 7200, 16 * 3600, 40 * 3600, 800 * 86_400].map((past) => ago(now - past, now)),
    ['just now', '5 min ago', '2 h ago', 'yesterday', '10 Mar', '2 Jan 2024'],
  );
  assert.equal(ago(0, now), '');
});

test('the status bar says how many nodes there are and how far the run of this kernel is', () => {
  const session = { text: '', total: 8, states: {}, nodes: [] };
  const { known } = view({ session, runs: [run('old'), run('fl', RUNNING)] });

  assert.equal(statusLine(known), '8 nodes · fl 3/20');
  assert.equal(statusLine({ ...known, runs: [] }), '8 nodes');
  assert.equal(statusLine({ ...known, runs: [run('fl', { ...RUNNING, live: false })] }), '8 nodes');
  assert.equal(statusLine({ ...known, session: null, runs: [] }), '');
});

test('the notebook has a start line of its own where a cell of code has one', () => {
  assert.equal(ownStart([text(LINE), code(`x = 1\ns = ${LINE}  `)]), LINE);
  assert.equal(ownStart([text(LINE), code('# %manta start'), code('%manta status')]), '');
});

test('a notebook is one of ours where a cell of code says so', () => {
  assert.equal(mentions([code('%load_ext manta_nb')]), true);
  assert.equal(mentions([text('%load_ext manta_nb'), code('x')]), false);
});

test("the notebook's own start cell is run, and before it whatever loads the magics", () => {
  const both = [text('# A'), code('%load_ext manta_nb'), code(LINE)];

  assert.deepEqual(startPlan(both, false, null), { cell: null, run: [1, 2] });
  assert.deepEqual(startPlan(both, true, null), { cell: null, run: [2] });
  assert.deepEqual(startPlan([code(`%load_ext manta_nb\n${LINE}`)], false, null), { cell: null, run: [0] });
  assert.deepEqual(startPlan([code(LINE)], false, null), {
    cell: { at: 0, source: '%load_ext manta_nb', into: false },
    run: [0, 1],
  });
});

test('a new start cell stands where Run All needs it: below the title, or below what loads the magics', () => {
  const whole = `%load_ext manta_nb\n${LINE}`;

  assert.deepEqual(startPlan([code('')], false, LINE), {
    cell: { at: 0, source: whole, into: true },
    run: [0],
  });
  assert.deepEqual(startPlan([text('# A'), code('x')], false, LINE), {
    cell: { at: 1, source: whole, into: false },
    run: [1],
  });
  assert.deepEqual(startPlan([code('%load_ext manta_nb'), code('x')], false, LINE), {
    cell: { at: 1, source: LINE, into: false },
    run: [0, 1],
  });
  assert.deepEqual(startPlan([text('# A')], true, LINE), {
    cell: { at: 1, source: LINE, into: false },
    run: [1],
  });
});

test('other nodes are started below the cell that starts the usual ones, which is not run', () => {
  const cells = [code(`%load_ext manta_nb\n%manta start`), code('x')];
  const plan = startPlan(cells, false, LINE);

  assert.deepEqual([plan.cell?.at, plan.run], [1, [1]]);
  assert.match(plan.cell?.source ?? '', /^%load_ext manta_nb\n/);
});

test('the dialog shows the line that its fields make, and what is wrong with them instead', () => {
  const form = new StartForm({ nodes: 4, data: 'digits', partition: 'dirichlet', alpha: 0.3 });
  const line = one(form.el, 'ms-start-line').textContent;
  const [nodes] = all(form.el, 'input');
  assert.ok(nodes);
  nodes.value = '0';
  nodes.happens('input');

  assert.equal(line, '%manta start --nodes 4 --data digits --partition dirichlet --alpha 0.3');
  assert.match(one(form.el, 'ms-start-wrong').textContent, /whole number/);
  assert.deepEqual([form.value, form.options.nodes], [null, 0]);
});

test('lines of a cell that another program reads start nothing', () => {
  const cells = [
    '%%bash\n%manta start --nodes 2',
    '%%writefile x.py\n%load_ext manta_nb',
    'été = %manta start',
  ];

  assert.equal(ownStart(cells.map((source) => ({ kind: 'code', source }))), '%manta start');
});

test('a monitor says that its kernel has ended only where it has', () => {
  const said = [lastWords(true, false), lastWords(false, true), lastWords(false, false)];

  assert.deepEqual(
    said.map((words) => /kernel of this run has ended/.test(words)),
    [true, false, false],
  );
  assert.equal(new Set(said).size, 3);
});
