/** One notebook of the page, in however many panels: its cells know the notebook, not the panel. */
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Facts } from '../cells/status';
import type { Link } from '../link/link';

/** A notebook in the page, and the link to its kernel. */
export class Notebook {
  link: Link | null = null;
  private unwatch: (() => void) | null = null;

  /** the panels that show it: "New View for Notebook" makes another one */
  private readonly panels = new Set<NotebookPanel>();

  constructor(private readonly changed: () => void) {}

  /** The first of them that is there. */
  get panel(): NotebookPanel | null {
    return [...this.panels][0] ?? null;
  }

  /** The one that shows this; the first where none does, as while it is being built. */
  panelOf(node: Node): NotebookPanel | null {
    return [...this.panels].find((panel) => panel.node.contains(node)) ?? this.panel;
  }

  enter(panel: NotebookPanel): void {
    this.panels.add(panel);
  }

  /** Whether none is left. */
  leave(panel: NotebookPanel): boolean {
    this.panels.delete(panel);
    return this.panels.size === 0;
  }

  /** What its kernel knows; null where it is not there to be asked. */
  get facts(): Facts | null {
    return this.link?.phase === 'open' ? this.link.state : null;
  }

  has(id: string): boolean {
    for (const cell of this.panel?.content.model?.cells ?? []) if (cell.id === id) return true;
    return false;
  }

  follow(link: Link | null): void {
    if (link === this.link) return;
    this.unwatch?.();
    this.link = link;
    this.unwatch =
      link?.watch((sections) => {
        if (['modules', 'runs', 'phase'].some((name) => sections.has(name as 'runs'))) this.changed();
      }) ?? null;
    this.changed();
  }
}
