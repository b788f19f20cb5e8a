/** What we use of JupyterLab's kernel connection and its comms; in 4.2 some of it is not there yet. */

export interface Signal<Sender, Value> {
  connect(slot: (sender: Sender, value: Value) => void): boolean;
  disconnect(slot: (sender: Sender, value: Value) => void): boolean;
}

export interface Comm {
  readonly commId: string;
  readonly isDisposed: boolean;
  onMsg: (message: { content: { data: unknown } }) => void;
  onClose: (message: unknown) => void;
  /** where comms travel on shells of their own: settled when that shell is there, never where there are none */
  readonly subshellStarted?: Promise<void>;
  open(data: object): unknown;
  send(data: object): unknown;
  close(): unknown;
  dispose(): void;
}

type BeaconHandler = (comm: Comm, message: unknown) => void;

export interface Connection {
  readonly id: string;
  readonly status: string;
  readonly isDisposed: boolean;
  /** false where another connection of this page has the comms of the same kernel */
  readonly handleComms: boolean;
  readonly supportsSubshells?: boolean;
  readonly info: Promise<unknown>;
  readonly statusChanged: Signal<Connection, string>;
  readonly connectionStatusChanged: Signal<Connection, string>;
  createComm(target: string): Comm;
  registerCommTarget(target: string, handler: BeaconHandler): void;
  removeCommTarget(target: string, handler: BeaconHandler): void;
  requestCommInfo(content: { target_name: string }): Promise<{
    content: { status: string; comms?: Record<string, unknown> };
  }>;
}
