import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pythonOf, notebookFile, swarmNotebook } from '../src/notebooks/document';
import { DEFAULTS } from '../src/notebooks/options';
import { quoted, startLine, writable } from '../src/notebooks/startline';
import { cellsFor, cellsOf } from '../src/notebooks/template';
import { TEMPLATES, type Template } from '../src/templates';

const template = (wanted: string): Template => {
  const found = TEMPLATES.find(({ id }) => id === wanted);
  assert.ok(found, wanted);
  return found;
};
const inserted = (id: string, ...sources: string[]): string[] =>
  cellsFor(template(id), sources).map(({ source }) => source);
const firstLines = (sources: readonly string[]): (string | undefined)[] =>
  sources.map((source) => source.split('\n')[0]);

test('a template is cells: magics and markdown are comments in it, and what is above the first is left out', () => {
  const cells = cellsOf(
    '# a note\n\n# %% [markdown]\n# # Title\n#\n# text\n\n# %% [code]\n# %%module a\nx = 1\n',
  );

  assert.deepEqual(cells, [
    { kind: 'markdown', source: '# Title\n\ntext' },
    { kind: 'code', source: '%%module a\nx = 1' },
  ]);
});

test('each template begins with its magic, and the magics are loaded first where no cell does', () => {
  const loaded = '%load_ext manta_nb';

  for (const { id } of TEMPLATES) {
    const cells = inserted(id, loaded);
    assert.match(cells[0] ?? '', /^%%(?:module|swarm) \w+/, id);
    assert.deepEqual(inserted(id), [loaded, ...cells], id);
    assert.deepEqual(inserted(id, '# %load_ext manta_nb'), [loaded, ...cells], id);
  }
});

test('magics that are loaded further down are not loaded yet', () => {
  const cells = cellsFor(template('worker'), ['x = 1', '%load_ext manta_nb'], 1);

  assert.deepEqual(firstLines(cells.map(({ source }) => source)), [
    '%load_ext manta_nb',
    '%%module worker --all',
  ]);
});

test('inserted again it has other names, and both go on working', () => {
  const first = inserted('fedavg', '%load_ext manta_nb');
  const second = inserted('fedavg', '%load_ext manta_nb', ...first);
  const third = inserted('fedavg', '%load_ext manta_nb', ...first, ...second);

  assert.deepEqual(firstLines(second), [
    '%%module fedavg_worker_2 --all',
    '%%module fedavg_aggregator_2',
    '%%swarm fedavg_2 --iterations 10',
    'fedavg_2.wait()',
  ]);
  assert.match(second[2] ?? '', /^fedavg_worker_2 >> fedavg_aggregator_2$/m);
  assert.match(second[3] ?? '', /^fedavg_2\.metrics\.plot/m);
  // tags are a run's own
  assert.match(second[2] ?? '', /set_global\("fedavg_model"/);
  assert.equal(firstLines(third)[2], '%%swarm fedavg_3 --iterations 10');
});

test('a name that the notebook uses for something else is not taken', () => {
  assert.equal(
    inserted('worker', '%load_ext manta_nb', 'worker = 3')[0]?.split('\n')[0],
    '%%module worker_2 --all',
  );
  assert.equal(
    inserted('worker', '%load_ext manta_nb', '%%module a,worker --file m.py')[0]?.split(' ')[1],
    'worker_2',
  );
  assert.equal(inserted('worker', '%load_ext manta_nb', 'if worker == 3: pass')[0]?.split(' ')[1], 'worker');
});

test('it is written for the data that the notebook starts its nodes with, where it can be', () => {
  const wine = inserted(
    'fedprox',
    '%load_ext manta_nb\ns = %manta start --nodes 8 --data "wine" --seed 1',
  ).join('\n');
  const unknown = inserted('fedprox', '%load_ext manta_nb', '%manta start --data patients.csv').join('\n');

  assert.match(wine, /get_numpy_data\("wine"\)/);
  assert.match(wine, /np\.zeros\(\(13, 3\)\), "bias": np\.zeros\(3\)/);
  assert.doesNotMatch(wine, /digits|64/);
  assert.match(unknown, /get_numpy_data\("digits"\)/);
});

test('a new notebook starts the nodes that the settings ask for', () => {
  const cells = swarmNotebook({
    ...DEFAULTS,
    nodes: 6,
    data: 'breast_cancer',
    partition: 'dirichlet',
    alpha: 0.1,
  });
  const code = cells.filter(({ kind }) => kind === 'code').map(({ source }) => source);

  assert.deepEqual(code.slice(0, 2), [
    '%load_ext manta_nb',
    '%manta start --nodes 6 --data breast_cancer --partition dirichlet --alpha 0.1',
  ]);
  assert.deepEqual(firstLines(code.slice(2, 6)), [
    '%%module worker --all',
    '%%module aggregator',
    '%%module scheduler',
    '%%swarm fl --iterations 20',
  ]);
  assert.match(code.join('\n'), /manta_nb\.data\.load\("breast_cancer"\)/);
  assert.match(code[5] ?? '', /zeros\(\(30, 2\)\)/);
});

test('data that no template can be made for leave the new notebook as it was written', () => {
  const [, start] = swarmNotebook({ ...DEFAULTS, data: 'my patients.csv' }).filter(
    ({ kind }) => kind === 'code',
  );

  assert.equal(start?.source, '%manta start --nodes 4 --data digits');
});

test('a notebook is one of format 4.5, with the kernel that runs it', () => {
  const made = notebookFile(
    [
      { kind: 'code', source: 'x' },
      { kind: 'markdown', source: 'y' },
    ],
    {
      name: 'python3',
      display_name: 'Python 3',
    },
  );

  assert.deepEqual(made.metadata.kernelspec, {
    name: 'python3',
    display_name: 'Python 3',
    language: 'python',
  });
  assert.deepEqual(Object.keys(made.cells[0] ?? {}).sort(), [
    'cell_type',
    'execution_count',
    'id',
    'metadata',
    'outputs',
    'source',
  ]);
  assert.match(String(made.cells[0]?.id), /^[a-zA-Z0-9-_]{1,64}$/);
  assert.notEqual(made.cells[0]?.id, made.cells[1]?.id);
  assert.equal('outputs' in (made.cells[1] ?? {}), false);
});

test('the kernel is the default where that is a Python, else python3, else any Python', () => {
  const spec = (language: string): { display_name: string; language: string } => ({
    display_name: language,
    language,
  });

  const both = { ir: spec('R'), conda: spec('python'), python3: spec('python') };
  assert.equal(pythonOf({ default: 'conda', kernelspecs: both })?.name, 'conda');
  assert.equal(pythonOf({ default: 'ir', kernelspecs: both })?.name, 'python3');
  assert.equal(
    pythonOf({ default: 'ir', kernelspecs: { ir: spec('R'), conda: spec('python') } })?.name,
    'conda',
  );
  assert.equal(pythonOf({ default: 'ir', kernelspecs: { ir: spec('R') } }), null);
  assert.equal(pythonOf(null), null);
});

test('a start line has the options that count, and quotes what needs them', () => {
  const line = (more: object): string => startLine({ ...DEFAULTS, ...more });

  assert.equal(line({}), '%manta start --nodes 4 --data digits');
  assert.equal(line({ data: ' ', partition: 'shards' }), '%manta start --nodes 4');
  assert.equal(line({ partition: 'shards' }), '%manta start --nodes 4 --data digits --partition shards');
  assert.equal(line({ data: 'données élèves.csv' }), '%manta start --nodes 4 --data "données élèves.csv"');
});

test('a word keeps its blanks, signs and quotes', () => {
  assert.equal(quoted('a-b_c.py:Élève'), 'a-b_c.py:Élève');
  assert.equal(quoted('a #1.py'), '"a #1.py"');
  assert.equal(quoted("l'été.py"), '"l\'été.py"');
  assert.equal(quoted('a"b\'c'), '"a"\'"\'"b\'c"');
  assert.equal(quoted(''), '""');
});

test('what IPython would replace on a line cannot be written there', () => {
  assert.deepEqual(['a.py', 'a b.py', 'été.py', 'a$b.py', 'a{b}.py', 'a}.py', 'a\nb.py'].map(writable), [
    ...[true, true, true],
    ...[false, false, false, false],
  ]);
});
