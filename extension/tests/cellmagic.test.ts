import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { digest } from '../src/cells/digest';
import { magicOf, readLine, textBelow } from '../src/cells/magic';

interface Vectors {
  texts: { text: string; digest: string }[];
  cells: { cell: string; digest: string }[];
}

const vectors = JSON.parse(readFileSync('../tests/fixtures/digests.json', 'utf8')) as Vectors;

const magic = (source: string) => magicOf(source) ?? assert.fail(`no magic: ${source}`);
const parts = (source: string) =>
  magic(source).parts.map(({ role, from, to }) => `${role} ${source.slice(from, to)}`);

test('a cell of a hundred thousand empty lines holds nothing up', () => {
  const began = performance.now();
  digest(`${'\n'.repeat(100_000)}x`);
  digest(`${'\n '.repeat(100_000)}x`);

  assert.ok(performance.now() - began < 3_000);
});

test('a digest is the one that the kernel takes of the same text', () => {
  assert.deepEqual(
    vectors.texts.map(({ text }) => digest(text)),
    vectors.texts.map((each) => each.digest),
  );
});

test('the text below the magic line is what IPython hands to the magic', () => {
  assert.deepEqual(
    vectors.cells.map(({ cell }) => digest(textBelow(cell, magic(cell)))),
    vectors.cells.map((each) => each.digest),
  );
});

test('names, file and options are read with their places', () => {
  const source = '%%module worker,evaluate --file model.py  # "it\'s" shared\nimport torch';
  const found = magic(source);

  assert.deepEqual([found.kind, found.names, found.file], ['module', ['worker', 'evaluate'], 'model.py']);
  assert.deepEqual(parts(source), [
    'magic %%module',
    'name worker,evaluate',
    'option --file',
    'value model.py',
    'comment # "it\'s" shared',
  ]);
});

test('a flag takes no value, and an option may have it after a sign', () => {
  const source = '%%swarm --wait fl --iterations=20 --nodes "node_0, node_1"';

  assert.deepEqual(magic(source).names, ['fl']);
  assert.deepEqual(
    [...magic(source).options],
    [
      ['--wait', ''],
      ['--iterations', '20'],
      ['--nodes', 'node_0, node_1'],
    ],
  );
  assert.deepEqual(parts(source).slice(3), [
    'option --iterations',
    'value 20',
    'option --nodes',
    'value "node_0, node_1"',
  ]);
});

test('a negative number is a value, an option after an option is not', () => {
  assert.deepEqual(parts('%%swarm fl --alpha -1 --seed --wait').slice(2), [
    'option --alpha',
    'value -1',
    'option --seed',
    'option --wait',
  ]);
});

test('each cell magic is told from the ones whose names begin alike', () => {
  const kinds = ['%%module a', '%%swarm a', '%%swarm_learning a', '%%swarm'].map(
    (text) => magicOf(text)?.kind,
  );
  const others = [
    '%%swarmx a',
    '%%swarm?',
    '%%swarm\ta',
    '%% swarm a',
    '%%modules',
    '%swarm',
    '# a\n%%swarm b',
    '',
  ];

  assert.deepEqual(kinds, ['module', 'swarm', 'script', 'swarm']);
  assert.deepEqual(
    others.map((text) => magicOf(text)),
    others.map(() => null),
  );
});

test('empty lines and blanks before the magic do not matter', () => {
  const source = '\n \t\n  %%module worker\n  x = 1';
  const found = magic(source);

  assert.deepEqual([found.line, source.slice(found.from, found.to)], [2, '  %%module worker']);
  assert.equal(textBelow(source, found), 'x = 1');
});

test('a name is read while it is being typed', () => {
  assert.deepEqual(
    ['%%module', '%%module ', '%%module wor', '%%module wor,', '%%module "wor'].map(
      (text) => magic(text).names,
    ),
    [[], [], ['wor'], ['wor'], ['wor']],
  );
});

test('a long text costs one line', () => {
  const source = `%%module worker\n${'x = 1\n'.repeat(200_000)}`;
  const began = performance.now();
  for (let i = 0; i < 100; i += 1) magicOf(source);

  assert.ok(performance.now() - began < 500);
});

test('the words of a line of %manta have their places, also behind an assignment', () => {
  const told = (text: string) =>
    readLine(text, 0)?.map(({ role, from, to }) => `${role} ${text.slice(from, to)}`);

  assert.deepEqual(told('s = %manta start --nodes 8  # eight'), [
    'magic %manta',
    'name start',
    'option --nodes',
    'value 8',
    'comment # eight',
  ]);
  assert.deepEqual(told('%manta stop fl'), ['magic %manta', 'name stop', 'value fl']);
  assert.deepEqual(
    [told('x %manta'), told('%mantax'), told('print("%manta")')],
    [undefined, undefined, undefined],
  );
});
