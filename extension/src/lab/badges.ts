/** A badge on each cell that defines a module or starts a run: what became of its text. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { EditorView } from '@codemirror/view';
import { BadgeView } from '../cells/badge';
import { badgeOf, type Badge, type Facts } from '../cells/status';
import cellStyle from './cells.css';
import { ICellEditors, type CellEditor, type Layer } from './celleditors';
import { goToCell } from './gotocell';
import { OPEN_MONITOR } from './monitortab';
import { IMantaSettings } from './settings';
import { SHOW } from './sidebar';
import { addStyle } from '../styles';

/** Between the badge and what stands left and right of it. */
const GAP = 6;

class Badges implements Layer {
  private readonly views = new WeakMap<EditorView, BadgeView>();

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly enabled: () => boolean,
  ) {}

  refresh(editor: CellEditor, facts: Facts | null): void {
    const now = facts && this.enabled() ? editor.now() : null;
    const badge = facts && now && badgeOf(now, facts, editor.exists);
    const view = badge ? this.view(editor) : this.views.get(editor.view);
    if (!view) return;
    view.show(badge);
    this.moved(editor);
  }

  /** Beside the cell's toolbar, and small where the magic line is long. */
  moved(editor: CellEditor): void {
    const { view } = editor;
    const badge = this.views.get(view);
    if (!badge || badge.node.hidden) return;
    view.requestMeasure({
      key: badge,
      read: () => {
        const { right, width } = view.dom.getBoundingClientRect();
        const shift = width && toolbarOf(view.dom, right);
        const line = view.state.doc.lineAt(Math.min(editor.now()?.magic.from ?? 0, view.state.doc.length));
        const end = view.coordsAtPos(line.to);
        const start = view.coordsAtPos(line.from);
        const wraps = end !== null && start !== null && end.top > start.top + 2;
        const room = right - shift - GAP - (end?.right ?? 0);
        return { shift, tight: wraps || room < badge.width + 2 * GAP };
      },
      write: ({ shift, tight }) => {
        badge.place(shift, tight);
      },
    });
  }

  private view(editor: CellEditor): BadgeView {
    const { dom } = editor.view;
    const known = this.views.get(editor.view);
    if (known) return known;
    const made = new BadgeView((badge) => void this.follow(editor, badge));
    this.views.set(editor.view, made);
    dom.append(made.node);
    // Lab puts its toolbar into the active cell, and takes it out of sight where it would hide text
    const cell = dom.closest('.jp-Cell');
    const area = dom.closest('.jp-InputArea');
    const observer = new MutationObserver(() => this.moved(editor));
    if (cell) observer.observe(cell, { attributeFilter: ['class'] });
    if (area) observer.observe(area, { childList: true });
    return made;
  }

  private async follow(editor: CellEditor, { target }: Badge): Promise<void> {
    const { panel } = editor;
    if (!panel) return;
    this.app.shell.activateById(panel.id);
    const { commands } = this.app;
    if (target.to === 'cell') await goToCell(panel, target.cell, target.line);
    else if (target.to === 'modules' && commands.hasCommand(SHOW)) await commands.execute(SHOW);
    else if (target.to === 'run' && commands.hasCommand(OPEN_MONITOR))
      await commands.execute(OPEN_MONITOR, { run: target.run });
  }
}

/** How much of an editor's right edge the toolbar of its cell covers. */
function toolbarOf(dom: HTMLElement, right: number): number {
  const toolbar = dom.closest('.jp-InputArea')?.querySelector('.jp-cell-toolbar');
  const box = toolbar?.getBoundingClientRect();
  return box?.width ? Math.max(0, right - box.left) : 0;
}

export const badges: JupyterFrontEndPlugin<void> = {
  id: 'manta-nb:badges',
  description: 'Badges on the cells of modules and swarms.',
  autoStart: true,
  requires: [ICellEditors],
  optional: [IMantaSettings],
  activate: (app: JupyterFrontEnd, editors: ICellEditors, settings: IMantaSettings | null) => {
    addStyle('cells', cellStyle);
    editors.add(new Badges(app, () => settings?.all.badges ?? true));
    settings?.changed.connect(() => editors.refresh());
  },
};
