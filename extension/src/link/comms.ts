/**
 * The two comms of a view of a kernel: `data`, on which the kernel speaks, and `ctl`, on which we do.
 *
 * A kernel hears a comm on the shell that last sent on it. On `ctl` it never sends, so that what we say there is heard
 * while a cell runs; for that its opening, too, has to travel on the shell of its own that JupyterLab starts for it.
 */
import { PROTOCOL } from '../protocol';
import type { CloseMonitor, Opening, Question, View } from '../protocol';
import type { Comm, Connection } from './connection';

export const BEACON = 'manta_nb.beacon';
const DATA = 'manta_nb.data';
const CTL = 'manta_nb.ctl';

const PATIENCE_MS = 3_000;
/** A page that has gone without a word is known by its silence: one that is there speaks now and then. */
const HERE_MS = 60_000;

export interface Comms {
  send(message: Question | View | CloseMonitor): void;
  /** tell the kernel that nobody listens any more */
  close(): void;
  /** hear no more; the kernel that had the other ends is gone */
  forget(): void;
}

export interface Listener {
  message(data: unknown): void;
  /** the kernel has closed its side */
  closed(): void;
}

/**
 * Open both; null where `wanted` says no when it is time to. Never wait for this in the handler of a message: what it
 * waits for stands in the same queue.
 */
export async function openComms(
  connection: Connection,
  listener: Listener,
  wanted: () => boolean,
): Promise<Comms | null> {
  await soon(connection.info);
  if (!wanted() || connection.isDisposed) return null;
  const data = connection.createComm(DATA);
  const ctl = connection.createComm(CTL);
  if (connection.supportsSubshells) await soon(Promise.all([data.subshellStarted, ctl.subshellStarted]));
  if (!wanted() || connection.isDisposed || data.isDisposed || ctl.isDisposed) {
    for (const comm of [data, ctl]) if (!comm.isDisposed) comm.dispose();
    return null;
  }
  const opening: Opening = {
    token: crypto.getRandomValues(new Uint32Array(4)).join('-'),
    protocol: PROTOCOL,
  };
  data.onMsg = (message) => listener.message(message.content.data);
  data.onClose = () => listener.closed();
  data.open(opening);
  ctl.open(opening);
  return pair(data, ctl, connection);
}

function pair(data: Comm, ctl: Comm, connection: Connection): Comms {
  const send = (message: Question | View | CloseMonitor): void => {
    if (ctl.isDisposed) throw new Error('the comm is closed');
    ctl.send(message);
  };
  const here = setInterval(() => {
    // a line that is gone says so by its status
    if (!ctl.isDisposed && !connection.isDisposed) send({ op: 'here' });
  }, HERE_MS);
  const end = (how: (comm: Comm) => void): void => {
    clearInterval(here);
    for (const comm of [ctl, data]) how(comm);
  };
  send({ op: 'here' });
  return { send, close: () => end((comm) => close(comm, connection)), forget: () => end(deafen) };
}

function deafen(comm: Comm): void {
  comm.onMsg = () => undefined;
  comm.onClose = () => undefined;
}

function close(comm: Comm, connection: Connection): void {
  deafen(comm);
  if (comm.isDisposed) return;
  try {
    if (connection.isDisposed || connection.status === 'dead') comm.dispose();
    else comm.close();
  } catch {
    // the connection has gone in the meantime, and the comm with it
  }
}

/** Wait for something that may fail or never come. */
async function soon(promised: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS);
  });
  const settled = promised.then(
    () => undefined,
    () => undefined,
  );
  await Promise.race([settled, late]);
  clearTimeout(timer);
}
