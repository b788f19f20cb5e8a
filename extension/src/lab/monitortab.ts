/** The monitor of a run in a tab beside the notebook: an ordinary monitor of the kernel, shown by the notebook's renderers. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { MainAreaWidget } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { MimeModel } from '@jupyterlab/rendermime';
import { Panel, Widget } from '@lumino/widgets';
import type { Link } from '../link/link';
import { h } from '../monitor/dom';
import { stillOf } from '../panel/still';
import { lastWords } from '../panel/words';
import type { Answer, RunRow } from '../protocol';
import { mantaIcon } from './icon';
import { IKernels } from './kernels';
import monitorStyle from './monitortab.css';
import { runOf, shown } from './runcommands';
import { addStyle } from '../styles';

export const OPEN_MONITOR = 'manta-nb:open-monitor';

const VIEW = 'application/vnd.jupyter.widget-view+json';
const NO_WIDGETS = 'This JupyterLab cannot show widgets: pip install ipywidgets, and reload the page.';

/** A tab; it lives until somebody closes it, also when its kernel has ended. */
class MonitorTab extends MainAreaWidget<Panel> {
  private readonly unwatch: () => void;
  private readonly begun: number;
  private ended = false;

  constructor(
    private readonly link: Link,
    private readonly model: string,
    run: RunRow,
    view: Widget,
    /** the link that its kernel has now */
    private readonly now: () => Link | null,
  ) {
    const content = new Panel();
    content.addClass('ms-monitor');
    content.addWidget(view);
    super({ content });
    this.id = `manta-nb-monitor-${model}`;
    this.title.label = [run.name, run.run_id.slice(0, 4)].filter(Boolean).join(' ');
    this.title.caption = `Run ${run.name} ${run.run_id.slice(0, 8)}`;
    this.title.icon = mantaIcon;
    this.title.closable = true;
    this.begun = link.restarts;
    this.unwatch = link.watch((changed) => {
      if (changed.has('phase') && (this.gone || link.phase === 'absent')) this.end();
    });
  }

  /** Nothing is drawn any more: what was drawn stays, and why is said. */
  end(): void {
    if (this.ended || this.isDisposed) return;
    this.ended = true;
    const [view] = this.content.widgets;
    if (!view) return;
    const text = lastWords(this.gone, this.now() === this.link);
    const note = h('p', { class: 'ms-monitor-note', role: 'status' }, text);
    const still = new Widget({ node: h('div', { class: 'ms-monitor-still' }, note, stillOf(view.node)) });
    view.dispose();
    this.content.addWidget(still);
  }

  get live(): boolean {
    return !this.ended && !this.isDisposed;
  }

  /** Whether the kernel that made the monitor is no more. */
  private get gone(): boolean {
    return this.link.ended || this.link.restarts !== this.begun;
  }

  /** A kernel that lives has the monitor until it hears that nobody looks at it, by whichever link it has now. */
  override dispose(): void {
    if (this.isDisposed) return;
    this.unwatch();
    if (!this.gone) this.now()?.closeMonitor(this.model);
    super.dispose();
  }
}

class Monitors {
  /** by link, by id of the run */
  private readonly tabs = new Map<Link, Map<string, MonitorTab>>();
  private readonly opening = new Set<string>();

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly kernels: IKernels,
  ) {
    kernels.changed.connect(() => this.sweep());
  }

  /** Show the tab of a run, opening it if there is none; null: it is there. */
  async open(link: Link, run: RunRow): Promise<Answer | null> {
    const there = this.tabs.get(link)?.get(run.run_id);
    if (there?.live) {
      this.app.shell.activateById(there.id);
      return null;
    }
    const [panel] = this.kernels.panels(link);
    if (!panel?.content.rendermime.mimeTypes.includes(VIEW)) return refused(NO_WIDGETS);
    if (this.opening.has(run.run_id)) return null;
    this.opening.add(run.run_id);
    const answer = await link.ask({ op: 'monitor', run: run.run_id });
    this.opening.delete(run.run_id);
    const { model } = answer;
    if (!answer.ok || typeof model !== 'string') return answer;
    there?.dispose();
    const tab = new MonitorTab(link, model, run, drawn(panel, model), () =>
      this.kernels.ofKernel(link.kernel),
    );
    this.keep(link, run.run_id, tab);
    // one place for all of them: each in a half of its own would leave the notebook none
    const beside = [...this.tabs.values()]
      .flatMap((tabs) => [...tabs.values()])
      .find((each) => each.isAttached);
    const place = beside
      ? ({ ref: beside.id, mode: 'tab-after' } as const)
      : ({ ref: panel.id, mode: 'split-right' } as const);
    this.app.shell.add(tab, 'main', place);
    return null;
  }

  private keep(link: Link, run: string, tab: MonitorTab): void {
    const tabs = this.tabs.get(link) ?? new Map<string, MonitorTab>();
    this.tabs.set(link, tabs.set(run, tab));
    tab.disposed.connect(() => {
      if (tabs.get(run) === tab) tabs.delete(run);
      if (!tabs.size && this.tabs.get(link) === tabs) this.tabs.delete(link);
    });
  }

  /** Where no notebook has that kernel any more, nobody tells its tabs. */
  private sweep(): void {
    for (const [link, tabs] of this.tabs) {
      if (this.kernels.panels(link).length) continue;
      for (const tab of tabs.values()) tab.end();
      this.tabs.delete(link);
    }
  }
}

/** The view of a widget's model, as an output of that notebook would show it. */
function drawn(panel: NotebookPanel, model: string): Widget {
  const renderer = panel.content.rendermime.createRenderer(VIEW);
  const data = { [VIEW]: { model_id: model, version_major: 2, version_minor: 0 } };
  void renderer.renderModel(new MimeModel({ data, trusted: true })).catch((error: unknown) => {
    console.error('manta-nb: the monitor could not be drawn', error);
  });
  return renderer;
}

function refused(text: string): Answer {
  return { op: 'answer', ask: 0, ok: false, text };
}

export const monitorTab: JupyterFrontEndPlugin<void> = {
  id: 'manta-nb:monitor-tab',
  description: 'The monitor of a run as a tab beside its notebook.',
  autoStart: true,
  requires: [IKernels],
  activate: (app: JupyterFrontEnd, kernels: IKernels) => {
    addStyle('monitor-tab', monitorStyle);
    const monitors = new Monitors(app, kernels);
    app.commands.addCommand(OPEN_MONITOR, {
      label: 'Show Run Monitor',
      caption: 'Open the monitor of the latest run beside the notebook',
      isEnabled: (args) => runOf(kernels.current, args, () => true) !== null,
      execute: async (args) => {
        const { current } = kernels;
        const run = runOf(current, args, () => true);
        return current && run ? shown(await monitors.open(current, run), args) : null;
      },
    });
  },
};
