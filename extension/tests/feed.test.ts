import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Feed } from '../src/monitor/feed';
import type { WidgetModel } from '../src/monitor/model';
import type { Command, Message } from '../src/monitor/protocol';

type Listener = (message: unknown, buffers: DataView[]) => void;

type Kernel = NonNullable<NonNullable<WidgetModel['widget_manager']>['kernel']>;

/** A model that keeps what is sent on it; `kernel` is the connection behind the manager, if there is one. */
class Model implements WidgetModel {
  readonly sent: Command[] = [];
  private listener: Listener | null = null;
  widget_manager?: WidgetModel['widget_manager'];

  constructor(kernel?: Kernel) {
    if (kernel) this.widget_manager = { kernel };
  }

  get(): string {
    return 'c0ffee';
  }

  send(content: unknown): void {
    this.sent.push(content as Command);
  }

  on(_: string, listener: Listener): void {
    this.listener = listener;
  }

  off(): void {
    this.listener = null;
  }

  /** What the kernel says; commands are on their way when this is over. */
  async says(...messages: Message[]): Promise<string[]> {
    for (const message of messages) this.listener?.(message, []);
    await settled();
    return this.sent.map(({ op }) => op);
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const delta = (seq: number): Message => ({ op: 'delta', seq });
const full = (seq: number): Message => ({ op: 'full', seq });

/** A kernel connection that opens one comm, and what was sent on it. */
function connection(begin: () => Promise<void> = () => Promise.resolve()): {
  kernel: Kernel;
  opened: object[];
  sent: Command[];
} {
  const opened: object[] = [];
  const sent: Command[] = [];
  const comm = {
    subshellStarted: begin(),
    open: (data: object) => opened.push(data),
    send: (data: object) => sent.push(data as Command),
    close: () => sent.push({ op: 'closed' } as unknown as Command),
  };
  return { kernel: { supportsSubshells: true, createComm: () => comm }, opened, sent };
}

test('commands go on a comm that this side opened, on which the kernel never sends', async () => {
  const { kernel, opened, sent } = connection();
  const model = new Model(kernel);
  const feed = new Feed(model);
  feed.send({ op: 'stop' });
  await settled();

  assert.deepEqual(opened, [{ token: 'c0ffee' }]);
  assert.deepEqual([sent.map(({ op }) => op), model.sent], [['hello', 'stop'], []]);

  feed.dispose();
  await settled();
  assert.equal(sent.length, 3);
});

test('where no comm can be opened, commands go on the data model', async () => {
  const refused: Kernel = {
    createComm: () => {
      throw new Error('gone');
    },
  };
  const models = [new Model(), new Model({}), new Model(refused)];
  for (const model of models) new Feed(model);
  await settled();

  assert.deepEqual(
    models.map(({ sent }) => sent.map(({ op }) => op)),
    [['hello'], ['hello'], ['hello']],
  );
});

test('a subshell that cannot be started does not keep commands back', async () => {
  const { kernel, sent } = connection(() => Promise.reject(new Error('no subshells')));
  new Feed(new Model(kernel));
  await settled();

  assert.deepEqual(
    sent.map(({ op }) => op),
    ['hello'],
  );
});

test('a hole is told once, and nothing is believed until all was sent again', async () => {
  const model = new Model();
  const feed = new Feed(model);

  assert.deepEqual(await model.says(full(1), delta(2), delta(4), delta(5)), ['hello', 'gap']);
  assert.equal(feed.state.seq, 2);
  await model.says(full(9), delta(10));
  assert.equal(feed.state.seq, 10);
});

test('a message that comes twice counts once', async () => {
  const model = new Model();
  const feed = new Feed(model);
  let drawn = 0;
  feed.register({ changed: () => (drawn += 1), told: () => undefined });
  await model.says(full(1), delta(2), delta(2));

  assert.equal(drawn, 2);
});

test('two views show the same, and one that left hears no more', async () => {
  const model = new Model();
  const feed = new Feed(model);
  const heard: string[] = [];
  const view = (name: string) => ({ changed: () => heard.push(name), told: () => undefined });
  feed.register(view('a'));
  const leave = feed.register(view('b'));
  await model.says(full(1));
  leave();
  await model.says(delta(2));

  assert.deepEqual(heard, ['a', 'b', 'a']);
});

test('an answer reaches the one who asked', async () => {
  const model = new Model();
  const feed = new Feed(model);
  const [first, second] = [1, 2].map(() => feed.ask({ op: 'logs', limit: 10 }));
  await settled();
  const asks = model.sent.flatMap((command) => ('ask' in command ? [command.ask ?? 0] : []));
  for (const ask of asks.reverse()) await model.says({ op: 'answer', ask, ok: false, text: `number ${ask}` });

  assert.deepEqual(
    [await first, await second].map((answer) => answer?.ok === false && answer.text),
    asks.reverse().map((ask) => `number ${ask}`),
  );
});

test("two pages of one kernel never take each other's answers", async () => {
  const [one, other] = [new Model(), new Model()];
  void new Feed(one).ask({ op: 'logs', limit: 10 });
  void new Feed(other).ask({ op: 'logs', limit: 10 });
  await settled();
  const [mine, theirs] = [one, other].map(({ sent }) =>
    sent.flatMap((command) => ('ask' in command ? [command.ask] : [])),
  );

  assert.notDeepEqual(mine, theirs);
});

test('what was asked for and is lost is asked for again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const model = new Model();
  const feed = new Feed(model);
  await model.says();
  t.mock.timers.tick(3_000);

  assert.deepEqual(await model.says(full(1), delta(3)), ['hello', 'hello', 'gap']);
  t.mock.timers.tick(3_000);
  assert.deepEqual(await model.says(full(4)), ['hello', 'hello', 'gap', 'gap']);
  t.mock.timers.tick(100_000);
  assert.equal((await model.says()).length, 4);
  feed.dispose();
});
