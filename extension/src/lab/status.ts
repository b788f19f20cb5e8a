/** The status bar's item: nodes, and where the run is. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { h, setText } from '../monitor/dom';
import { statusLine } from '../panel/words';
import { followCurrent } from './follow';
import { IKernels } from './kernels';
import { IMantaSettings } from './settings';
import { SHOW } from './sidebar';
import statusStyle from './status.css';
import { addStyle } from '../styles';

class StatusItem extends Widget {
  readonly shownChanged: Signal<this, void> = new Signal<this, void>(this);
  private readonly button: HTMLButtonElement;
  private text = '';

  constructor(open: () => void) {
    const button = h('button', {
      type: 'button',
      class: 'ms-status',
      title: 'Open the Manta sidebar',
      on: { click: open },
    });
    super({ node: h('div', { class: 'jp-mod-highlighted' }, button) });
    this.button = button;
  }

  get isShown(): boolean {
    return this.text !== '';
  }

  /** What it says; "": it is not there. */
  say(text: string): void {
    if (text === this.text) return;
    const turned = (text === '') !== (this.text === '');
    this.text = text;
    setText(this.button, text);
    if (turned) this.shownChanged.emit();
  }
}

export const status: JupyterFrontEndPlugin<void> = {
  id: 'manta-nb:status',
  description: 'Nodes and running iteration in the status bar.',
  autoStart: true,
  requires: [IKernels],
  optional: [IStatusBar, IMantaSettings],
  activate: (
    app: JupyterFrontEnd,
    kernels: IKernels,
    bar: IStatusBar | null,
    settings: IMantaSettings | null,
  ) => {
    // Notebook 7 has none
    if (!bar) return;
    addStyle('status', statusStyle);
    const item = new StatusItem(() => void app.commands.execute(SHOW));
    const say = (): void => {
      const wanted = settings?.all.statusBar ?? true;
      const { current } = kernels;
      item.say(wanted && current ? statusLine(current.state) : '');
    };
    followCurrent(kernels, say);
    settings?.changed.connect(say);
    bar.registerStatusItem('manta-nb:status', {
      item,
      align: 'left',
      rank: 4,
      isActive: () => item.isShown,
      activeStateChanged: item.shownChanged,
    });
  },
};
