/** A link on a kernel connection: finds the kernel's half, listens to it, and finds it again after a restart. */
import type { Answer, Question, State } from '../protocol';
import { Asking, refusal } from './asking';
import { BEACON, openComms } from './comms';
import type { Comms } from './comms';
import type { Comm, Connection } from './connection';
import type { Known, Link, Phase, Section } from './link';
import { ABSENT, ANEW, ELSEWHERE, ENDED, LEFT } from './texts';
import { NOTHING, add, messageOf, troubleOf } from './reading';

/** How long a full message may take before it is asked for again. */
const AGAIN_MS = 5_000;

/** A connection that held this long is tried again. */
const LIVED_MS = 10_000;

export class KernelLink implements Link {
  private known: Known = NOTHING;
  private now: Phase = 'opening';
  private why = '';
  private comms: Comms | null = null;
  /** goes up with each attempt to connect: what belongs to an older one has no effect */
  private attempt = 0;
  private have = 0;
  private helloed = -Infinity;
  private disposed = false;
  private dead = false;
  private restarted = 0;
  private readonly seen = new Set<string>();
  private readonly listeners = new Set<(changed: Set<Section>) => void>();
  private readonly asking: Asking;

  /** `left`: the connection that had the comms of this kernel until now has gone. */
  constructor(
    private readonly connection: Connection,
    { patience, left = false }: { patience?: number; left?: boolean } = {},
  ) {
    this.asking = new Asking(patience);
    if (!connection.handleComms) {
      this.why = left ? LEFT : ELSEWHERE;
      this.now = 'absent';
      return;
    }
    connection.registerCommTarget(BEACON, this.beacon);
    connection.statusChanged.connect(this.status);
    connection.connectionStatusChanged.connect(this.line);
    void this.find();
  }

  get state(): Known {
    return this.why ? NOTHING : this.known;
  }

  get phase(): Phase {
    return this.now;
  }

  get trouble(): string {
    return this.why;
  }

  get restarts(): number {
    return this.restarted;
  }

  get kernel(): string {
    return this.connection.id;
  }

  get ended(): boolean {
    return this.dead;
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  watch(listener: (changed: Set<Section>) => void): () => void {
    // a listener of its own each time, so that the same function may watch twice
    const own = (changed: Set<Section>): void => listener(changed);
    this.listeners.add(own);
    return () => {
      this.listeners.delete(own);
    };
  }

  ask(question: Omit<Question, 'ask'>): Promise<Answer> {
    const { comms } = this;
    if (this.why) return Promise.resolve(refusal(0, this.why));
    if (!comms) {
      const why = this.now === 'absent' ? ABSENT : ANEW;
      return Promise.resolve(refusal(0, this.disposed || this.dead ? ENDED : why));
    }
    return this.asking.ask(question, (whole) => comms.send(whole));
  }

  choose(run: string): void {
    this.say(() => this.comms?.send({ op: 'choose', run }));
  }

  closeMonitor(model: string): void {
    this.say(() => this.comms?.send({ op: 'close_monitor', model }));
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    const { connection } = this;
    connection.statusChanged.disconnect(this.status);
    connection.connectionStatusChanged.disconnect(this.line);
    if (connection.handleComms) connection.removeCommTarget(BEACON, this.beacon);
    this.lose('absent', ENDED);
    this.listeners.clear();
  }

  /** The kernel has opened its beacon: it has loaded our half, perhaps anew. */
  private readonly beacon = (comm: Comm): void => {
    if (this.seen.has(comm.commId)) return;
    this.seen.add(comm.commId);
    comm.onClose = () => {
      this.seen.delete(comm.commId);
    };
    void this.open();
  };

  private readonly status = (_: unknown, status: string): void => {
    this.dead = status === 'dead';
    if (this.dead) this.lose('absent', ENDED);
    else if (status === 'restarting' || status === 'autorestarting') {
      this.seen.clear();
      if (this.now !== 'restarting') this.restarted += 1;
      this.lose('restarting', 'The kernel restarts: its nodes and runs have ended.');
    } else if (this.now === 'restarting' && (status === 'idle' || status === 'busy')) void this.find();
  };

  /** Nobody knows what was said while the line was gone: begin anew. */
  private readonly line = (_: unknown, status: string): void => {
    if (status !== 'connected') this.lose('restarting', 'The line to the kernel is gone.', this.known);
    else if (this.now === 'restarting' && this.connection.status !== 'restarting') void this.find();
  };

  /** Is our half there? A kernel that is busy with a cell answers when that has ended. */
  private async find(): Promise<void> {
    const mine = (this.attempt += 1);
    try {
      const { content } = await this.connection.requestCommInfo({ target_name: BEACON });
      if (mine !== this.attempt || this.disposed) return;
      const found = Object.keys(content.comms ?? {});
      for (const id of found) this.seen.add(id);
      if (found.length) await this.open();
      else this.lose('absent', ABSENT);
    } catch {
      // the line went in the meantime: when it is back, this is tried again
    }
  }

  private async open(): Promise<void> {
    const mine = (this.attempt += 1);
    this.lose('opening', 'The kernel has loaded manta_nb anew: try it again.', this.known);
    const current = (): boolean => mine === this.attempt && !this.disposed;
    const listener = {
      message: (data: unknown) => {
        if (current()) this.hear(data);
      },
      closed: () => {
        if (current()) this.dropped(performance.now() - begun);
      },
    };
    const begun = performance.now();
    try {
      const comms = await openComms(this.connection, listener, current);
      if (comms && current()) this.comms = comms;
      else comms?.close();
    } catch {
      if (current()) this.lose('absent', ABSENT);
    }
  }

  /**
   * The kernel has closed its side: the magics were taken back, or it took this page for gone, as after a long cell.
   * Which, it says when asked; until then what is known stays. One that lets us go at once has its reasons.
   */
  private dropped(lived: number): void {
    if (lived <= LIVED_MS) this.lose('absent', ABSENT);
    else {
      this.lose('opening', ANEW, this.known);
      void this.find();
    }
  }

  private hear(data: unknown): void {
    const message = messageOf(data);
    if (!message) return;
    if (message.op === 'answer') this.asking.answer(message);
    else if (message.full || (message.seq === this.have + 1 && this.now === 'open')) this.take(message);
    else this.hello();
  }

  private take(message: State): void {
    this.have = message.seq;
    if (message.full) this.helloed = -Infinity;
    const { known, changed } = add(this.known, message);
    this.known = known;
    this.why = troubleOf(known);
    if (this.now !== 'open' || changed.has('kernel')) changed.add('phase');
    this.now = 'open';
    this.tell(changed);
  }

  /** A message is missing: everything again, please. */
  private hello(): void {
    const now = performance.now();
    if (now - this.helloed < AGAIN_MS) return;
    this.helloed = now;
    this.say(() => this.comms?.send({ op: 'hello' }));
  }

  /** There is no connection now; `known` is what is still shown. */
  private lose(phase: Phase, why: string, known: Known = NOTHING): void {
    if (phase !== 'opening') this.attempt += 1;
    const { comms } = this;
    this.comms = null;
    // JupyterLab drops the comms of a kernel that restarts by itself; closing them would speak to the new one
    if (/restarting/.test(this.connection.status)) comms?.forget();
    else comms?.close();
    this.asking.end(why);
    if (this.now === phase && this.known === known) return;
    this.now = phase;
    this.known = known;
    this.why = '';
    this.tell(new Set<Section>([...(Object.keys(NOTHING) as (keyof Known)[]), 'phase']));
  }

  private say(send: () => void): void {
    try {
      send();
    } catch {
      // a line that is gone says so by its status
    }
  }

  private tell(changed: Set<Section>): void {
    for (const listener of [...this.listeners]) listener(changed);
  }
}
