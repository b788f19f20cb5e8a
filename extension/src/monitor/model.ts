/** What we use of an anywidget model, of the widget manager behind it, and of the kernel connection behind that. */
import type { Command } from './protocol';

/** A comm as JupyterLab's kernel connection makes it. */
interface Comm {
  open(data: object): unknown;
  send(data: object): unknown;
  close(): unknown;
  onClose?: (message: unknown) => void;
  subshellStarted?: Promise<void>;
}

interface KernelConnection {
  createComm?: (target: string) => Comm;
  supportsSubshells?: boolean;
}

export interface WidgetModel {
  get(key: string): unknown;
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  on(event: string, listener: (message: unknown, buffers: DataView[]) => void): void;
  off(event: string, listener: (message: unknown, buffers: DataView[]) => void): void;
  widget_manager?: { kernel?: KernelConnection | null };
}

/** Where commands go. */
export interface Control {
  send(command: Command): void;
  close(): void;
}

const PATIENCE_MS = 3_000;

/**
 * The way to the kernel that is open while a cell runs, too.
 *
 * An ipykernel hears a comm on the shell that last sent on it, and a widget's comm was opened by the main shell. So
 * this one is opened here, and the kernel never sends on it. Where the front end has no such thing, commands go on
 * the model and are heard when the cell has ended. Never await this in `initialize` or `render`: the reply that
 * starts the subshell stands in the same queue.
 */
export async function openControl(model: WidgetModel): Promise<Control> {
  const plain = { send: (command: Command): void => model.send(command), close: (): void => undefined };
  const kernel = model.widget_manager?.kernel;
  if (typeof kernel?.createComm !== 'function') return plain;
  try {
    const comm = kernel.createComm('manta_nb.ctl');
    let open = true;
    comm.onClose = () => {
      open = false;
    };
    if (kernel.supportsSubshells && comm.subshellStarted) {
      const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
      await Promise.race([comm.subshellStarted.catch(() => undefined), late]);
    }
    comm.open({ token: model.get('control') });
    return {
      send: (command) => {
        try {
          if (open) {
            comm.send(command);
            return;
          }
        } catch {
          // it was disposed of with its kernel connection
          open = false;
        }
        model.send(command);
      },
      close: () => {
        if (open) comm.close();
      },
    };
  } catch {
    return plain;
  }
}
