import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULTS } from '../src/notebooks/options';
import { openedAs, runWord, unusable } from '../src/notebooks/openas';
import { whyNoCell, whyNoRun } from '../src/notebooks/reasons';
import { swarmClasses } from '../src/notebooks/swarms';

test('a class with Swarm as its base is one, however that was imported', () => {
  const found = [
    'from manta.swarm import Swarm\nclass A(Swarm):\n    pass',
    'from manta import Module, Swarm as Base\nclass A(Base): pass',
    'from manta_nb import (\n    Module,  # one\n    Swarm,\n)\nclass A(Swarm): pass',
    'import manta\nclass A(manta.Swarm): pass',
    'import manta.swarm\nclass A(manta.swarm.Swarm): pass',
    'import manta.swarm as ms\nclass A(object, ms.Swarm): pass',
    'from manta import swarm\nclass A(swarm.Swarm): pass',
    'from manta.swarm import *\nclass A(Swarm): pass',
    'from manta.apis \\\n  import Swarm\nclass A(\n    Swarm,\n    metaclass=M,\n):\n    pass',
    'try:\n    from manta import Swarm\nexcept ImportError:\n    raise\nclass A(Swarm): pass',
    'from common import BaseSwarm\nclass A(BaseSwarm): pass',
    '\ufefffrom manta import Swarm\r\nclass A(Swarm):\r\n    pass\r\n',
  ].map(swarmClasses);

  assert.deepEqual(
    found,
    found.map(() => ['A']),
  );
});

test('several are all found, also those that are derived from each other, and in the order of the file', () => {
  const text =
    'from manta import Swarm\nclass B(Swarm): pass\nclass Other: pass\nclass Élève(B):\n  pass\nclass A(Other): pass';

  assert.deepEqual(swarmClasses(text), ['B', 'Élève']);
});

test('what stands in texts and comments, or deeper in the file, does not count', () => {
  const found = [
    '"""\nfrom manta import Swarm\nclass A(Swarm):\n    pass\n"""',
    "from manta import Swarm\nx = '''\nclass A(Swarm): pass\n'''",
    'from manta import Swarm\n# class A(Swarm): pass',
    'from manta import Swarm\ndef f():\n    class A(Swarm): pass',
    'from manta import Swarm\nx = "\\"\\\nclass A(Swarm): pass"',
    'class A(Swarm): pass',
    'from swarm import Swarm\nclass A(Swarm): pass',
    'from swarmlearning import SwarmCallback\nclass A(SwarmCallback): pass',
    'from manta import Swarm\nclass A(Swarm): pass\nclass A: pass',
    'from manta import Swarm\nclass A(Generic[Swarm]): pass',
    '',
    '\0\u{1f600} {{{{ """',
  ].map(swarmClasses);

  assert.deepEqual(
    found,
    found.map(() => []),
  );
});

test('a quote in a comment or a hash in a text hides nothing', () => {
  const text = `from manta import Swarm  # it's
x = "# no comment"
y = r'\\'
class A(Swarm):  # "
    pass
`;

  assert.deepEqual(swarmClasses(text), ['A']);
});

test('a class that names types first is one like any other', () => {
  assert.deepEqual(swarmClasses('from manta import Swarm\nclass A[T](Swarm): pass'), ['A']);
});

test('a long file that is no Python is read in no time', () => {
  const began = performance.now();
  for (const text of [
    'class A(' + '('.repeat(50_000),
    'class '.repeat(50_000),
    '"'.repeat(200_001),
    '('.repeat(90_000),
    `class A${' '.repeat(90_000)}x`,
  ])
    swarmClasses(text);

  assert.ok(performance.now() - began < 3_000);
});

test('the notebook loads, starts nodes as the settings say, and runs the class', () => {
  const cells = openedAs('swarm.py', 'FLSwarm', DEFAULTS);

  assert.deepEqual(
    cells.filter(({ kind }) => kind === 'code').map(({ source }) => source),
    [
      '%load_ext manta_nb',
      '%manta start --nodes 4 --data digits',
      'run = %manta run swarm.py:FLSwarm --iterations 20\nrun',
      'run.wait()\nrun.metrics',
    ],
  );
});

test('a file is named as a magic line takes it', () => {
  assert.equal(runWord('my swarm.py', 'Élève'), '"my swarm.py:Élève"');
  assert.equal(runWord('-x.py', 'A'), './-x.py:A');
  assert.equal(runWord('~x.py', 'A'), './~x.py:A');
  assert.equal(runWord("l'eau.py", 'A'), '"l\'eau.py:A"');
  assert.equal(unusable('a b.py'), '');
  assert.match(unusable('a{b}.py'), /rename it/);
  assert.match(unusable('a\nb.py'), /rename it/);
});

test('a menu says why there is nothing to stop, and nowhere to insert', () => {
  const link = (phase: 'absent' | 'opening' | 'open', runs: unknown[] = []): Parameters<typeof whyNoRun>[1] =>
    ({ phase, state: { runs } }) as unknown as Parameters<typeof whyNoRun>[1];

  assert.deepEqual(
    [
      whyNoRun(false, null),
      whyNoRun(true, null),
      whyNoRun(true, link('absent')),
      whyNoRun(true, link('opening')),
      whyNoRun(true, link('open')),
    ],
    [
      'No notebook is open',
      'This notebook has no kernel',
      'No run yet: %load_ext manta_nb',
      'The kernel has not answered yet',
      'No run yet',
    ],
  );
  assert.deepEqual(
    [whyNoCell(false, false), whyNoCell(true, true), whyNoCell(true, false)],
    ['Open a notebook first', 'This notebook is read-only', ''],
  );
});
