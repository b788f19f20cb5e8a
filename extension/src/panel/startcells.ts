/** Which cells start the nodes of a notebook: those that it has, or one that is written. */

import { loadsMagics, startOf } from '../notebooks/lines';

export interface CellText {
  readonly kind: string;
  readonly source: string;
}

/** Cells to run, by their place once `cell` is there. */
export interface Plan {
  /** a new cell at this place; `into`: the empty cell there is used */
  readonly cell: { readonly at: number; readonly source: string; readonly into: boolean } | null;
  readonly run: readonly number[];
}

const LOAD_LINE = '%load_ext manta_nb';

/** The notebook's own line that starts nodes: `%manta start --nodes 8`; "" where it has none. */
export function ownStart(cells: readonly CellText[]): string {
  return cells.map(({ kind, source }) => (kind === 'code' ? startOf(source) : '')).find(Boolean) ?? '';
}

/** Whether the notebook is one of ours: a cell of code has the name. */
export function mentions(cells: readonly CellText[]): boolean {
  return cells.some(({ kind, source }) => kind === 'code' && source.includes('manta_nb'));
}

/** Run the notebook's own start cell (`line` is null), or write one with that line where Run All needs it. */
export function startPlan(cells: readonly CellText[], loaded: boolean, line: string | null): Plan {
  const starts = cells.findIndex(({ kind, source }) => kind === 'code' && startOf(source) !== '');
  const loads = cells.findIndex(({ kind, source }) => kind === 'code' && loadsMagics(source));
  // a cell that loads and starts is no cell to load with, when other nodes are wanted
  const loader = loads >= 0 && loads !== starts ? loads : -1;
  if (line === null && starts >= 0) return own(starts, loader, loaded || loads === starts);
  const before = loader >= 0 && !loaded ? [loader] : [];
  const at = Math.max(loader, starts) + 1 || afterTitle(cells);
  const source = loaded || before.length ? (line ?? '') : `${LOAD_LINE}\n${line ?? ''}`;
  const here = cells[at];
  const into = here?.kind === 'code' && here.source.trim() === '';
  return { cell: { at, source, into }, run: [...before, at] };
}

function own(starts: number, loader: number, loaded: boolean): Plan {
  if (loaded) return { cell: null, run: [starts] };
  if (loader >= 0) return { cell: null, run: [loader, starts] };
  return { cell: { at: starts, source: LOAD_LINE, into: false }, run: [starts, starts + 1] };
}

/** The place below the text that a notebook begins with. */
function afterTitle(cells: readonly CellText[]): number {
  const first = cells.findIndex(({ kind }) => kind === 'code');
  return first < 0 ? cells.length : first;
}
