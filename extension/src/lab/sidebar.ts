/** The sidebar "Manta": shows what the active notebook's kernel has, and does what its buttons ask for. */
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Clipboard } from '@jupyterlab/apputils';
import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import { Widget } from '@lumino/widgets';
import { NOTHING } from '../link/reading';
import type { Actions, View } from '../panel/data';
import { STYLE, Sidebar } from '../panel/sidebar';
import { ownStart } from '../panel/startcells';
import type { Answer } from '../protocol';
import { Announcer } from './announce';
import { folds } from './folds';
import { followCurrent } from './follow';
import { mantaIcon } from './icon';
import { IKernels } from './kernels';
import { OPEN_MONITOR } from './monitortab';
import { mayStop } from './runcommands';
import { IMantaSettings } from './settings';
import { cellsOf } from './start';
import { Starter } from './starter';
import { addStyle } from '../styles';

export const SHOW = 'manta-nb:show-sidebar';

const ID = 'manta-nb-sidebar';
/** After this long it is said that the kernel has not answered yet. */
const PATIENCE_MS = 1_500;

class SidebarWidget extends Widget {
  constructor(
    private readonly content: Sidebar,
    private readonly looked: () => void,
  ) {
    super();
    this.id = ID;
    this.addClass('ms-widget');
    this.title.icon = mantaIcon;
    this.title.caption = 'Manta: nodes and runs';
    this.node.append(content.el);
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'Manta');
  }

  override dispose(): void {
    if (!this.isDisposed) this.content.dispose();
    super.dispose();
  }

  protected override onAfterShow(): void {
    this.content.visible(true);
    this.looked();
  }

  protected override onAfterAttach(): void {
    this.content.visible(this.isVisible);
    if (this.isVisible) this.looked();
  }

  protected override onAfterHide(): void {
    this.content.visible(false);
  }

  protected override onActivateRequest(): void {
    this.node.querySelector<HTMLElement>('button:not([hidden])')?.focus();
  }
}

function activate(
  app: JupyterFrontEnd,
  kernels: IKernels,
  settings: IMantaSettings | null,
  restorer: ILayoutRestorer | null,
): void {
  addStyle('sidebar', STYLE);
  const announcer = new Announcer();
  const tell = (text: string, bad?: boolean): void => content.tell(text, bad);
  const starter = new Starter(app, kernels, settings, () => look());
  const content = new Sidebar(actionsOf(app, kernels, starter, settings, tell), folds());
  const look = (): void => {
    content.put(viewOf(kernels, starter));
    if (widget.isVisible) announcer.look(kernels.panel, kernels.current);
  };
  const widget = new SidebarWidget(content, look);
  followCurrent(kernels, look);
  watchNotebook(kernels, look);
  app.shell.add(widget, 'left', { rank: 450, type: 'Manta' });
  restorer?.add(widget, ID);
  app.commands.addCommand(SHOW, {
    label: 'Show Manta Sidebar',
    caption: 'Nodes, runs, Globals and Results of the active notebook',
    execute: () => app.shell.activateById(ID),
  });
}

function viewOf(kernels: IKernels, starter: Starter): View {
  const { panel, current } = kernels;
  return {
    notebook: panel?.title.label ?? null,
    phase: current?.phase ?? null,
    trouble: current?.trouble ?? '',
    known: current?.state ?? NOTHING,
    // nobody sees it while there are nodes
    start: panel && !current?.state.session ? ownStart(cellsOf(panel)) : '',
    starting: panel !== null && starter.starting.has(panel),
  };
}

/** The active notebook's name and its start cell may change, too. */
function watchNotebook(kernels: IKernels, changed: () => void): void {
  let panel: NotebookPanel | null = null;
  let soon: ReturnType<typeof setTimeout> | undefined;
  const later = (): void => {
    if (kernels.current?.state.session) return;
    clearTimeout(soon);
    soon = setTimeout(changed, 400);
  };
  const leave = (): void => {
    if (panel && !panel.isDisposed) {
      panel.title.changed.disconnect(changed);
      panel.context.model.contentChanged.disconnect(later);
    }
    panel = null;
  };
  const enter = (): void => {
    if (kernels.panel === panel) return;
    leave();
    panel = kernels.panel;
    panel?.title.changed.connect(changed);
    panel?.context.model.contentChanged.connect(later);
    void panel?.context.ready.then(changed, () => undefined);
  };
  kernels.changed.connect(enter);
  enter();
}

function actionsOf(
  app: JupyterFrontEnd,
  kernels: IKernels,
  starter: Starter,
  settings: IMantaSettings | null,
  tell: (text: string, bad?: boolean) => void,
): Actions {
  const ask = (op: 'stop' | 'resume', run: string): void => {
    const { current } = kernels;
    if (current) void patiently(current.ask({ op, run }), tell);
  };
  return {
    start: () => starter.start(),
    startOther: () => void starter.other(),
    stop: (run) => void mayStop(run, settings).then((may) => may && ask('stop', run.run_id)),
    resume: ({ run_id: run }) => ask('resume', run),
    monitor: ({ run_id: run }) =>
      void patiently(
        app.commands.execute(OPEN_MONITOR, { run, quiet: true }) as Promise<Answer | null>,
        tell,
      ),
    choose: (run) => kernels.current?.choose(run),
    value: async (wanted) => {
      const { current } = kernels;
      return (
        current?.ask({ op: 'value', ...wanted }) ?? {
          op: 'answer',
          ask: 0,
          ok: false,
          text: 'There is no kernel.',
        }
      );
    },
    copy: (code) => {
      Clipboard.copyToSystem(code);
      tell('Copied.');
    },
    insert: (code) => insert(app, kernels.panel, code),
  };
}

/** Show what is answered, and that one waits where that takes long. */
async function patiently(
  asked: Promise<Answer | null>,
  tell: (text: string, bad?: boolean) => void,
): Promise<void> {
  const waiting = setTimeout(
    () => tell('Asked. A kernel that is busy answers when its cell has ended.'),
    PATIENCE_MS,
  );
  try {
    const answer = await asked;
    if (answer?.text) tell(answer.text, !answer.ok);
    else tell('');
  } finally {
    clearTimeout(waiting);
  }
}

function insert(app: JupyterFrontEnd, panel: NotebookPanel | null, code: string): void {
  if (!panel) return;
  NotebookActions.insertBelow(panel.content);
  panel.content.activeCell?.model.sharedModel.setSource(code);
  app.shell.activateById(panel.id);
}

export const sidebar: JupyterFrontEndPlugin<void> = {
  id: 'manta-nb:sidebar',
  description: 'Nodes, runs, Globals and Results of the active notebook.',
  autoStart: true,
  requires: [IKernels],
  optional: [IMantaSettings, ILayoutRestorer],
  activate,
};
