import assert from 'node:assert/strict';
import { test } from 'node:test';
import { globalsPart, resultsPart } from '../src/panel/values';
import { CHOSEN, FOLDS, actions, view } from './sidedata';
import { button, one, pretend } from './sidedom';

pretend();

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a value is asked for when it is opened, of the node that was chosen, and shown', async () => {
  const value = {
    op: 'answer',
    ask: 1,
    ok: true,
    text: '[1, 2]',
    type: 'float32 (2,)',
    shape: [2],
    dtype: 'float32',
    nbytes: 8,
    stats: null,
    histogram: null,
  };
  const asked = actions(() => Promise.resolve({ op: 'answer', ask: 1, ok: true, text: '', value }));
  const part = resultsPart(asked, FOLDS);
  part.update(view({ chosen: CHOSEN }));
  one(part.el, 'ms-value-row').happens('click');
  await settled();
  const field = one(part.el, 'ms-node-choice');
  field.value = 'node_1';
  field.happens('change');
  await settled();

  assert.deepEqual(asked.log, ['result u node_0', 'result u node_1']);
  assert.equal(one(part.el, 'mp-pre').textContent, '[1, 2]');
});

test('a value that cannot be shown says so', async () => {
  const refusal = { op: 'answer', ask: 1, ok: false, text: 'it is too large' } as const;
  const wrong = { op: 'answer', ask: 2, ok: true, text: '', value: { shape: 7 } } as const;
  for (const [answer, said] of [
    [refusal, 'it is too large'],
    [wrong, 'This value cannot be shown.'],
  ] as const) {
    const part = globalsPart(
      actions(() => Promise.resolve(answer)),
      FOLDS,
    );
    part.update(view({ chosen: CHOSEN }));
    one(part.el, 'ms-value-row').happens('click');
    await settled();

    assert.equal(one(part.el, 'ms-value').textContent, said);
  }
});

test('an opened value that has changed since offers to look again, and is asked for once more', async () => {
  const asked = actions(() => Promise.resolve({ op: 'answer', ask: 1, ok: false, text: 'no' }));
  const part = globalsPart(asked, FOLDS);
  part.update(view({ chosen: CHOSEN }));
  one(part.el, 'ms-value-row').happens('click');
  await settled();
  const [first] = CHOSEN.globals;
  assert.ok(first);
  const changed = (iteration: number): void =>
    part.update(view({ chosen: { ...CHOSEN, globals: [{ ...first, iteration }] } }));
  // the first change may have crossed the answer on its way
  changed(2);
  await settled();
  const crossed = asked.log.length;
  changed(3);
  const before = asked.log.length;
  // whatever has changed since, the line belongs to the numbers below it
  const facts = part.el.textContent ?? '';
  button(part.el, 'Changed since: look again').happens('click');

  assert.deepEqual([crossed, before, asked.log.length], [2, 2, 3]);
  assert.match(facts, /changed in iteration 2/);
  assert.match(part.el.textContent ?? '', /changed in iteration 3/);
});

test('the code that reads a value can be copied and inserted', () => {
  const asked = actions();
  const part = globalsPart(asked, FOLDS);
  part.update(view({ chosen: CHOSEN }));
  one(part.el, 'ms-value-row').happens('click');
  button(part.el, 'Copy this code').happens('click');
  button(part.el, 'Insert this code in a cell below').happens('click');

  assert.deepEqual(asked.log.slice(1), ['copy fl.globals["w"]', 'insert fl.globals["w"]']);
});
