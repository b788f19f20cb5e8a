/** The connection of a monitor with its kernel: one for all of its views. */
import { uniqueId } from './dom';
import { replaceOutputs } from './ending';
import { openControl } from './model';
import type { Control, WidgetModel } from './model';
import type { Source, View } from './panel';
import type { Answer, Command, Message } from './protocol';
import { apply, emptyState } from './store';
import type { State } from './store';

/** How long an answer may take before the asker hears that there is none. */
const PATIENCE_MS = 15_000;
/** After this everything is asked for again, and then ever more seldom: a page that is flooded loses messages. */
const AGAIN_MS = 3_000;
const SELDOM_MS = 48_000;

export class Feed implements Source {
  readonly state: State = emptyState();
  private readonly views = new Set<View>();
  private readonly asked = new Map<number, (answer: Answer) => void>();
  private readonly control: Promise<Control>;
  /** Answers go to all pages of a kernel: their numbers must differ. */
  private asks = Math.floor(Math.random() * 2 ** 40);
  private missing = false;
  private again: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly model: WidgetModel) {
    this.control = openControl(model);
    model.on('msg:custom', this.receive);
    this.wantAll({ op: 'hello', view: uniqueId('view') });
  }

  register(view: View): () => void {
    this.views.add(view);
    return () => this.views.delete(view);
  }

  send(command: Command): void {
    void this.control.then((control) => {
      control.send(command);
    });
  }

  ask(command: Command): Promise<Answer> {
    this.asks += 1;
    const ask = this.asks;
    return new Promise((resolve) => {
      const give = (answer: Answer): void => {
        clearTimeout(timer);
        this.asked.delete(ask);
        resolve(answer);
      };
      const late = 'The kernel has not answered; it may be busy with a cell, or gone.';
      const timer = setTimeout(() => give({ op: 'answer', ask, ok: false, text: late }), PATIENCE_MS);
      this.asked.set(ask, give);
      this.send({ ...command, ask } as Command);
    });
  }

  dispose(): void {
    this.model.off('msg:custom', this.receive);
    clearTimeout(this.again);
    void this.control.then((control) => control.close()).catch(() => undefined);
    this.views.clear();
  }

  /** Ask for everything until it comes. */
  private wantAll(command: Command, pause = AGAIN_MS): void {
    clearTimeout(this.again);
    this.send(command);
    this.again = setTimeout(() => this.wantAll(command, Math.min(2 * pause, SELDOM_MS)), pause);
  }

  private readonly receive = (message: unknown, buffers: DataView[] = []): void => {
    this.take(message as Message, buffers);
  };

  private take(message: Message, buffers: DataView[]): void {
    if (message.op === 'full') {
      clearTimeout(this.again);
      this.missing = false;
    } else if (!this.follows(message.seq)) return;
    if (message.op === 'full' || message.op === 'delta') {
      const sections = apply(this.state, message, buffers);
      for (const view of this.views) view.changed(sections);
    } else if (message.op === 'told') for (const view of this.views) view.told(message);
    else if (message.op === 'answer') this.asked.get(message.ask)?.(message);
    else if (message.op === 'end' && message.model && message.output)
      replaceOutputs(this.model, message.model, message.output);
  }

  /** Counts the messages; a hole means that the state is wrong until the kernel has sent all of it again. */
  private follows(seq: number | undefined): boolean {
    if (!this.state.known) return seq === undefined;
    if (seq === undefined) return true;
    if (this.missing || seq <= this.state.seq) return false;
    if (seq === this.state.seq + 1) {
      this.state.seq = seq;
      return true;
    }
    this.missing = true;
    this.wantAll({ op: 'gap', have: this.state.seq });
    return false;
  }
}
