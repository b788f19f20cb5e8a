import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KernelLink } from '../src/link/kernellink';
import type { Section } from '../src/link/link';
import { FakeConnection, delta, full, settled } from './linkkernel';

const SESSION = { text: '2 nodes', total: 2, states: {}, nodes: [] };

/** A link to a kernel whose half is there. */
async function opened(patience?: number): Promise<{ kernel: FakeConnection; link: KernelLink }> {
  const kernel = new FakeConnection();
  kernel.beacons = ['beacon-1'];
  const link = new KernelLink(kernel, patience === undefined ? {} : { patience });
  await settled();
  return { kernel, link };
}

test('a page that comes to a kernel with our half opens both comms, once, with the same token', async () => {
  const { kernel, link } = await opened();
  await kernel.light('beacon-1');
  kernel.open('data').says(full({ session: SESSION }));

  assert.deepEqual(kernel.log, ['open manta_nb.data', 'open manta_nb.ctl']);
  assert.deepEqual(kernel.open('data').opened, kernel.open('ctl').opened);
  assert.equal(link.phase, 'open');
  assert.equal(link.state.session?.total, 2);
});

test('a kernel without our half is asked once and left alone until it has it', async () => {
  const kernel = new FakeConnection();
  const link = new KernelLink(kernel);
  await settled();
  const before = [link.phase, kernel.comms.length, kernel.asked];
  await kernel.light();

  assert.deepEqual(before, ['absent', 0, 1]);
  assert.equal(link.phase, 'opening');
  assert.equal(kernel.comms.length, 2);
});

test('the comms are opened when their subshells are there, and not before', async () => {
  const kernel = new FakeConnection();
  let start: () => void = () => undefined;
  const started = new Promise<void>((resolve) => {
    start = resolve;
  });
  kernel.supportsSubshells = true;
  kernel.subshell = () => started;
  kernel.beacons = ['beacon-1'];
  const link = new KernelLink(kernel);
  await settled();
  const before = [...kernel.log];
  start();
  await settled();

  assert.deepEqual(before, []);
  assert.equal(kernel.log.length, 2);
  link.dispose();
});

test('where there are no subshells nothing is waited for', async () => {
  const kernel = new FakeConnection();
  kernel.subshell = () => new Promise(() => undefined);
  kernel.beacons = ['beacon-1'];
  const link = new KernelLink(kernel);
  await settled();

  assert.equal(kernel.log.length, 2);
  link.dispose();
});

test('messages are added up, and whoever watches hears which parts changed', async () => {
  const { kernel, link } = await opened();
  const heard: Section[][] = [];
  kernel.open('data').says(full());
  const leave = link.watch((changed) => heard.push([...changed]));
  kernel.open('data').says(delta(2, { session: SESSION }));
  kernel.open('data').says(delta(3, { session: null }));
  leave();
  kernel.open('data').says(delta(4, { total: 7 }));

  assert.deepEqual(heard, [['session'], ['session']]);
  assert.deepEqual([link.state.session, link.state.total], [null, 7]);
});

test('where a message is missing everything is asked for, once, and nothing is added to a state with a hole', async () => {
  const { kernel, link } = await opened();
  kernel.open('data').says(full());
  kernel.open('data').says(delta(3, { total: 3 }));
  kernel.open('data').says(delta(4, { total: 4 }));
  const hellos = kernel.open('ctl').sent.filter(({ op }) => op === 'hello');
  const total = link.state.total;
  kernel.open('data').says(full({ seq: 5, total: 5 }));

  assert.deepEqual([hellos.length, total, link.state.total], [1, 0, 5]);
});

test('a question is answered by the answer with its number', async () => {
  const { kernel, link } = await opened();
  const first = link.ask({ op: 'stop', run: 'a' });
  const second = link.ask({ op: 'resume', run: 'b' });
  const [one, two] = kernel.open('ctl').sent.filter(({ ask }) => ask !== undefined);
  kernel.open('data').says({ op: 'answer', ask: two?.ask, ok: true, text: 'goes on' });
  kernel.open('data').says({ op: 'answer', ask: one?.ask, ok: false, text: 'it is over' });

  assert.deepEqual([(await first).text, (await second).text], ['it is over', 'goes on']);
});

test('a question that nobody answers is answered by the clock', async () => {
  const { link } = await opened(10);
  const answer = await link.ask({ op: 'stop', run: 'a' });

  assert.equal(answer.ok, false);
  assert.match(answer.text, /not answered/);
});

test('a restart empties the state, answers who waits, and begins anew when the kernel is back', async () => {
  const { kernel, link } = await opened();
  kernel.open('data').says(full({ session: SESSION }));
  const waiting = link.ask({ op: 'stop', run: 'a' });
  kernel.beacons = [];
  await kernel.turns('restarting');
  const during = [link.phase, link.state.session];
  await kernel.turns('idle');
  const after = link.phase;
  await kernel.light('beacon-2');
  kernel.open('data').says(full());

  assert.deepEqual(during, ['restarting', null]);
  assert.match((await waiting).text, /restarts/);
  assert.deepEqual([after, link.phase, link.restarts], ['absent', 'open', 1]);
  // what is closed on a kernel that restarts would be heard by the new one
  assert.equal(kernel.log.filter((line) => line.startsWith('close')).length, 0);
});

test('a line that was lost is opened anew, and what is known stays until then', async () => {
  const { kernel, link } = await opened();
  kernel.open('data').says(full({ session: SESSION }));
  const lost = kernel.open('data');
  await kernel.line('connecting');
  const during = [link.phase, link.state.session?.total];
  await kernel.line('connected');
  lost.says(delta(2, { session: null }));
  kernel.open('data').says(full({ total: 9 }));

  assert.deepEqual(during, ['restarting', 2]);
  assert.deepEqual([link.phase, link.state.total, kernel.log.length], ['open', 9, 6]);
});

test('a kernel that speaks another version is not shown, and what to do is said', async () => {
  const { kernel, link } = await opened();
  kernel
    .open('data')
    .says(full({ kernel: { protocol: 2, version: '9', controls: 'live', loaded: true }, session: SESSION }));
  const answer = await link.ask({ op: 'stop', run: 'a' });

  assert.match(link.trouble, /reload the page/);
  assert.equal(link.state.session, null);
  assert.deepEqual([answer.ok, answer.text], [false, link.trouble]);
});

test('what is no message of ours, or holds the wrong types, is left out', async () => {
  const { kernel, link } = await opened();
  const data = kernel.open('data');
  data.says(full({ session: SESSION }));
  for (const nonsense of [null, 7, 'x', [], {}, { op: 'state' }, { op: 'answer', ask: 'x' }])
    data.says(nonsense);
  data.says({
    op: 'state',
    seq: 2,
    full: false,
    runs: 'many',
    total: '3',
    session: { nodes: 'x' },
    chosen: 4,
  });
  data.says({ op: 'state', seq: 3, full: false, runs: [null, 3, { run_id: 'a' }] });

  assert.deepEqual(link.state.session?.nodes, []);
  assert.deepEqual([link.state.runs, link.state.total, link.state.chosen], [[{ run_id: 'a' }], 0, null]);
});

test('a link that is let go closes its comms, hears nothing, and leaves nothing behind on the connection', async () => {
  const { kernel, link } = await opened();
  const data = kernel.open('data');
  data.says(full());
  let heard = 0;
  link.watch(() => (heard += 1));
  link.dispose();
  const told = heard;
  data.isDisposed = false;
  data.says(delta(2, { total: 3 }));
  await kernel.turns('idle');

  assert.deepEqual(kernel.log.slice(2), ['close manta_nb.ctl', 'close manta_nb.data']);
  assert.deepEqual([heard, link.state.total], [told, 0]);
  assert.deepEqual(
    [kernel.statusChanged.slots.size, kernel.connectionStatusChanged.slots.size, kernel.targets.size],
    [0, 0, 0],
  );
});

test('a kernel whose comms another tab has is not touched, and that is said', async () => {
  const kernel = new FakeConnection();
  kernel.handleComms = false;
  const link = new KernelLink(kernel);
  await settled();

  assert.deepEqual([link.phase, kernel.asked, kernel.targets.size], ['absent', 0, 0]);
  assert.match(link.trouble, /another notebook/);
});

test('a kernel that closes its side has nothing of us any more', async () => {
  const { kernel, link } = await opened();
  kernel.open('data').says(full({ session: SESSION }));
  kernel.beacons = [];
  kernel.open('data').onClose({});
  await settled();

  assert.deepEqual([link.phase, link.state.session], ['absent', null]);
});
