/** A model as the anywidget contract has it, whose kernel is a function. */
import type { WidgetModel } from '../../src/monitor/model';
import type { Command } from '../../src/monitor/protocol';

type Listener = (message: unknown, buffers: DataView[]) => void;

export class FakeModel implements WidgetModel {
  private readonly listeners = new Set<Listener>();

  constructor(private readonly kernel: (command: Command) => void) {}

  get(key: string): unknown {
    return { run_id: 'harness', control: 'harness', protocol: 1 }[key];
  }

  send(content: unknown): void {
    this.kernel(content as Command);
  }

  on(_: string, listener: Listener): void {
    this.listeners.add(listener);
  }

  off(_: string, listener: Listener): void {
    this.listeners.delete(listener);
  }

  receive(message: unknown, buffers: DataView[]): void {
    for (const listener of this.listeners) listener(message, buffers);
  }
}
