import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asks } from '../src/cells/asks';

/** Whether the kernel is asked at the `|` in a text. */
const asked = (text: string) => asks(text.replace('|', ''), text.indexOf('|'));

const YES = [
  '%%module wor|',
  '%%swarm fl --it|\nworker',
  '%%swarm fl --nodes |',
  '\n%%swarm |',
  '%manta |',
  's = %manta start --|',
  'x = 1\n%manta stop |',
  '%%module worker\nself.world.globals["|',
  "%%module worker\nself.world.globals['mod|']",
  'fl.globals["|"]',
  'fl.results.select("|")',
  '%%swarm fl\nset_global("|", 1)',
  '%%swarm fl\nworker >> |',
  '%%swarm fl\nworker >> [a, b|',
  '%%swarm fl\nwor|',
  'worker.try_on(\n    "|',
];
const NO = [
  '|',
  '%%|module worker',
  '%%module worker # all of |',
  '%manta stop # |',
  '%%bash\necho "|',
  'import nu|',
  'x = np.|',
  'print("a", x|)',
  '# fl.globals["|',
  'x = f(a) + "|',
  '%%module worker\nself.|',
  '%%swarm fl\nnp.lin|',
];

for (const text of YES) test(`the kernel is asked at ${JSON.stringify(text)}`, () => assert.ok(asked(text)));
for (const text of NO)
  test(`the kernel is not asked at ${JSON.stringify(text)}`, () => assert.ok(!asked(text)));
