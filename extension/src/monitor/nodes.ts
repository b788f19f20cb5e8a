/** The nodes: all at one look, then a table with a menu for each; of very many nodes the extremes and pages. */
import { Extremes, StateBar, Strip, countStates, inOrder } from './crowd';
import { h } from './dom';
import { type NodeEntry, type Pace, nodeColumns, paceOf } from './nodecolumns';
import { NodeMenu, type Target } from './nodemenu';
import { RemoteNodes } from './nodesource';
import type { Kernel, MakePanel, Panel } from './panel';
import type { RunInfo } from './protocol';
import { LocalRows } from './rows';
import type { Section, State } from './store';
import { Table } from './table';

const WATCHED: readonly Section[] = ['nodes', 'crowd', 'run', 'names'];

class NodesPanel implements Panel {
  readonly el: HTMLElement;
  private readonly states = new StateBar();
  private readonly strip = new Strip();
  private readonly extremes = new Extremes();
  private readonly menu: NodeMenu;
  private readonly local: LocalRows<NodeEntry>;
  private readonly remote: RemoteNodes;
  private readonly columns = nodeColumns(() => this.pace);
  private readonly place = h('div');
  private table: Table<NodeEntry>;
  private many = false;
  private pace: Pace = { max: 0, slow: Infinity };
  private entries: NodeEntry[] = [];
  private taskNames: readonly string[] = [];
  private run: RunInfo | null = null;

  constructor(kernel: Kernel) {
    this.menu = new NodeMenu(kernel);
    this.local = new LocalRows(this.columns, ({ id }) => id);
    const names = (): readonly string[] => this.taskNames;
    this.remote = new RemoteNodes(kernel, names, () => {
      this.table.refresh();
    });
    this.table = this.newTable();
    this.place.append(this.table.el);
    const parts = [this.states.el, this.strip.el, this.extremes.el, this.place, this.menu.el];
    this.el = h('section', { class: 'mp', 'aria-label': 'Nodes' }, ...parts);
  }

  update(state: State, changed: ReadonlySet<Section>): void {
    if (!WATCHED.some((section) => changed.has(section))) return;
    this.run = state.run;
    this.taskNames = state.taskNames;
    const many = state.run?.many ?? false;
    if (many !== this.many) this.change(many);
    if (many && changed.has('crowd')) this.updateCrowd(state);
    else if (!many && (changed.has('nodes') || changed.has('names'))) this.updateRows(state);
  }

  dispose(): void {
    this.table.dispose();
    this.remote.dispose();
  }

  /** From rows that are here to pages that are asked for, or back. */
  private change(many: boolean): void {
    this.many = many;
    this.table.dispose();
    this.table = this.newTable();
    this.place.replaceChildren(this.table.el);
  }

  private newTable(): Table<NodeEntry> {
    return new Table({
      label: 'Nodes',
      one: 'node',
      columns: this.columns,
      source: this.many ? this.remote : this.local,
      id: ({ id }) => id,
      empty: 'No nodes yet.',
      wide: 'error',
      ...(this.many && { filterHint: 'filter all nodes' }),
      opener: 'menu',
      open: (entry, cell) => {
        this.menu.open(this.target(entry), cell, this.table);
      },
    });
  }

  private updateCrowd({ crowd }: State): void {
    if (!crowd) return;
    const counts = Object.entries(crowd.states).map(([name, n]) => [name, n ?? 0] as const);
    this.states.update(inOrder(counts));
    this.strip.update([]);
    this.extremes.update(crowd);
    this.pace = { max: crowd.seconds.max, slow: 2 * crowd.seconds.median || Infinity };
    this.remote.touch();
  }

  private updateRows({ nodes, nodeNames }: State): void {
    const known = [...nodes].sort(([a], [b]) => a - b);
    this.entries = known.map(([index, row]) => ({ id: nodeNames[index] ?? `node ${index}`, row }));
    this.pace = paceOf(this.entries.map(({ row }) => row.seconds));
    this.states.update(countStates(this.entries.map(({ row }) => row.state)));
    this.strip.update(this.entries.map(({ id, row }) => ({ id, state: row.state })));
    this.extremes.update(null);
    this.local.set(this.entries);
    this.table.refresh();
  }

  private target({ id, row }: NodeEntry): Target {
    const mates = this.entries.filter((other) => other.id !== id && other.row.worker === row.worker);
    const [note, disabled] = possible(this.run);
    return {
      node: id,
      worker: row.worker,
      mates: this.many ? null : row.worker ? mates.map((mate) => mate.id) : [],
      note,
      disabled,
    };
  }
}

/** Whether nodes can be told anything now, and what to say about it. */
export function possible(run: RunInfo | null): [string, boolean] {
  if (!run || run.controls === 'none') return ['Without its kernel nothing can be done to a node.', true];
  if (run.finished) return ['The run is over.', true];
  if (run.controls === 'after-cell') return ['Acts when the running cell ends.', false];
  return ['', false];
}

export const nodesPanel: MakePanel = (kernel) => new NodesPanel(kernel);
