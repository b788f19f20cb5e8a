/** A kernel connection as JupyterLab has one, with a kernel behind it that can be told what to say. */
import type { Comm, Connection } from '../src/link/connection';
import type { State } from '../src/protocol';

type Slot<Value> = (sender: FakeConnection, value: Value) => void;

class FakeSignal<Value> {
  readonly slots = new Set<Slot<Value>>();

  constructor(private readonly sender: () => FakeConnection) {}

  connect = (slot: Slot<Value>): boolean => Boolean(this.slots.add(slot));
  disconnect = (slot: Slot<Value>): boolean => this.slots.delete(slot);

  emit(value: Value): void {
    for (const slot of [...this.slots]) slot(this.sender(), value);
  }
}

export class FakeComm implements Comm {
  isDisposed = false;
  opened: object | null = null;
  readonly sent: { op: string; ask?: number }[] = [];
  onMsg: Comm['onMsg'] = () => undefined;
  onClose: Comm['onClose'] = () => undefined;
  subshellStarted?: Promise<void>;

  constructor(
    readonly commId: string,
    readonly target: string,
    private readonly log: string[],
  ) {}

  open(data: object): void {
    this.opened = data;
    this.log.push(`open ${this.target}`);
  }

  send(data: object): void {
    if (this.isDisposed) throw new Error('Cannot send');
    this.sent.push(data as { op: string });
  }

  close(): void {
    this.log.push(`close ${this.target}`);
    this.dispose();
  }

  dispose(): void {
    this.isDisposed = true;
  }

  /** What the kernel sends on it. */
  says(data: unknown): void {
    if (!this.isDisposed) this.onMsg({ content: { data } });
  }
}

export class FakeConnection implements Connection {
  readonly id = 'kernel-1';
  status = 'idle';
  isDisposed = false;
  handleComms = true;
  supportsSubshells = false;
  info: Promise<unknown> = Promise.resolve({});
  readonly statusChanged = new FakeSignal<string>(() => this);
  readonly connectionStatusChanged = new FakeSignal<string>(() => this);
  /** opened and closed comms, in order */
  readonly log: string[] = [];
  readonly comms: FakeComm[] = [];
  readonly targets = new Map<string, (comm: Comm, message: unknown) => void>();
  /** ids of the beacons that the kernel has open */
  beacons: string[] = [];
  /** where they are given: what a comm waits for before it is opened */
  subshell: (() => Promise<void>) | null = null;
  /** how often it was asked for its comms */
  asked = 0;

  createComm(target: string): FakeComm {
    const comm = new FakeComm(`comm-${this.comms.length}`, target, this.log);
    if (this.subshell) comm.subshellStarted = this.subshell();
    this.comms.push(comm);
    return comm;
  }

  registerCommTarget(target: string, handler: (comm: Comm, message: unknown) => void): void {
    this.targets.set(target, handler);
  }

  removeCommTarget(target: string): void {
    this.targets.delete(target);
  }

  requestCommInfo(): ReturnType<Connection['requestCommInfo']> {
    this.asked += 1;
    const comms = Object.fromEntries(this.beacons.map((id) => [id, {}]));
    return Promise.resolve({ content: { status: 'ok', comms } });
  }

  /** The newest comm of a target that is open. */
  open(target: 'data' | 'ctl'): FakeComm {
    const found = this.comms.filter((comm) => comm.target === `manta_nb.${target}` && comm.opened).at(-1);
    if (!found) throw new Error(`no ${target} comm was opened`);
    return found;
  }

  /** `%load_ext manta_nb`, or what a page evaluates. */
  async light(id = 'beacon-1'): Promise<void> {
    this.beacons = [id];
    this.targets.get('manta_nb.beacon')?.(new FakeComm(id, 'manta_nb.beacon', this.log), {});
    await settled();
  }

  async turns(status: string): Promise<void> {
    this.status = status;
    // as JupyterLab does it
    if (status === 'restarting') for (const comm of this.comms) comm.dispose();
    this.statusChanged.emit(status);
    await settled();
  }

  async line(status: string): Promise<void> {
    this.connectionStatusChanged.emit(status);
    await settled();
  }
}

export const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

const KERNEL = { protocol: 1, version: '0.1', controls: 'live', loaded: true } as const;

/** A full message. */
export function full(parts: Partial<State> = {}): State {
  return { op: 'state', seq: 1, full: true, kernel: KERNEL, session: null, runs: [], total: 0, ...parts };
}

export function delta(seq: number, parts: Partial<State> = {}): State {
  return { op: 'state', seq, full: false, ...parts };
}
