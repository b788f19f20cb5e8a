/** The sidebar's way to start nodes: one start at a time in a notebook. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { DEFAULTS } from '../notebooks/options';
import { ownStart } from '../panel/startcells';
import type { IKernels } from './kernels';
import type { IMantaSettings } from './settings';
import { type StartOptions, askStart, cellsOf, startNodes } from './start';

/** Starts nodes in the active notebook, as its own cell says or as the person says. */
export class Starter {
  /** the notebooks whose start cell runs */
  readonly starting = new Set<NotebookPanel>();

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly kernels: IKernels,
    private readonly settings: IMantaSettings | null,
    private readonly changed: () => void,
  ) {}

  start(): void {
    const { panel } = this.kernels;
    if (panel && ownStart(cellsOf(panel))) void this.run(panel, null);
    else void this.other();
  }

  async other(): Promise<void> {
    const { panel } = this.kernels;
    if (!panel) return;
    const options = await askStart(this.settings?.all ?? DEFAULTS);
    if (options) await this.run(panel, options);
  }

  private async run(panel: NotebookPanel, options: StartOptions | null): Promise<void> {
    if (this.starting.has(panel)) return;
    const loaded = this.kernels.current?.state.kernel?.loaded ?? false;
    this.starting.add(panel);
    this.changed();
    try {
      await startNodes(this.app, panel, options, loaded);
    } finally {
      this.starting.delete(panel);
      this.changed();
    }
  }
}
