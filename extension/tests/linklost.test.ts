import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KernelLink } from '../src/link/kernellink';
import { FakeConnection, full, settled } from './linkkernel';

const SESSION = { text: '2 nodes', total: 2, states: {}, nodes: [] };

/** A link to a kernel whose half is there. */
async function opened(): Promise<{ kernel: FakeConnection; link: KernelLink }> {
  const kernel = new FakeConnection();
  kernel.beacons = ['beacon-1'];
  const link = new KernelLink(kernel);
  await settled();
  return { kernel, link };
}

/** A link that has been open for longer than a kernel waits for a silent page. */
async function aged(run: (kernel: FakeConnection, link: KernelLink) => Promise<void>): Promise<void> {
  const { kernel, link } = await opened();
  kernel.open('data').says(full({ session: SESSION }));
  const clock = performance.now.bind(performance);
  performance.now = () => clock() + 301_000;
  try {
    await run(kernel, link);
  } finally {
    performance.now = clock;
    link.dispose();
  }
}

test('a page that was taken for gone keeps what it knows while it asks, and opens anew', async () => {
  await aged(async (kernel, link) => {
    const phases: string[] = [];
    link.watch((changed) => changed.has('phase') && phases.push(link.phase));
    kernel.open('data').onClose({});
    await settled();
    const during = [link.phase, link.state.session?.total];
    kernel.open('data').says(full({ total: 4 }));

    assert.deepEqual(during, ['opening', 2]);
    assert.deepEqual([link.phase, link.state.total, kernel.asked], ['open', 4, 2]);
    assert.ok(!phases.includes('absent'));
  });
});

test('a kernel that was open for long and has nothing of us any more is asked once, and says so', async () => {
  await aged(async (kernel, link) => {
    kernel.beacons = [];
    kernel.open('data').onClose({});
    await settled();

    assert.deepEqual([link.phase, link.state.session, link.ended, kernel.asked], ['absent', null, false, 2]);
  });
});

test('only a kernel that was seen to die has ended; one that starts again has not', async () => {
  const { kernel, link } = await opened();
  link.watch(() => ends.push(link.ended));
  const ends: boolean[] = [];
  await kernel.turns('dead');
  await kernel.turns('restarting');

  assert.deepEqual([ends[0], link.ended, link.restarts, link.kernel], [true, false, 1, 'kernel-1']);
});

test('where the notebook that had the comms is closed, what to do is said', () => {
  const kernel = new FakeConnection();
  kernel.handleComms = false;
  const link = new KernelLink(kernel, { left: true });

  assert.match(link.trouble, /is closed: close this one, too, and open it again/);
});
