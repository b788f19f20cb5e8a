/** Results of one tag as a matrix of nodes and iterations: pure numbers. */
import type { ResultRow } from './protocol';

export interface MatrixCell {
  /** how many nodes: 1 in the row of a node */
  readonly nodes: number;
  /** bytes a node */
  readonly each: number;
  readonly type: string;
}

export interface MatrixRow {
  /** index of the node; null is the one row of a run with many nodes */
  readonly node: number | null;
  readonly cells: ReadonlyMap<number, MatrixCell>;
}

export interface Matrix {
  readonly iterations: readonly number[];
  readonly rows: readonly MatrixRow[];
  /** of a cell: the largest number of bytes, and of nodes */
  readonly most: { readonly each: number; readonly nodes: number };
}

/** `width` iterations that end at the newest, or with the one looked at in their middle. */
export function iterationsAround(newest: number, at: number | null, width: number): number[] {
  if (newest < 0) return [];
  const last = at === null ? newest : Math.min(newest, Math.max(width - 1, at + Math.floor(width / 2)));
  const first = Math.max(0, last - width + 1);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

export function matrixOf(
  results: readonly ResultRow[],
  tag: string,
  at: number | null,
  width: number,
): Matrix {
  const tagged = results.filter((row) => row.tag === tag);
  const newest = results.reduce((last, { iteration }) => Math.max(last, iteration), -1);
  const iterations = iterationsAround(newest, at, width);
  const first = iterations[0] ?? 0;
  const rows = new Map<number | null, Map<number, MatrixCell>>();
  const most = { each: 0, nodes: 0 };
  for (const row of tagged) {
    if (row.iteration < first || row.iteration > (iterations.at(-1) ?? -1)) continue;
    const total = typeof row.nodes === 'number' ? row.nodes : row.nodes.length;
    const each = row.nbytes / Math.max(1, total);
    most.each = Math.max(most.each, each);
    most.nodes = Math.max(most.nodes, total);
    for (const node of typeof row.nodes === 'number' ? [null] : row.nodes) {
      const cells = rows.get(node) ?? new Map<number, MatrixCell>();
      rows.set(node, cells);
      cells.set(row.iteration, { nodes: node === null ? total : 1, each, type: row.type });
    }
  }
  const sorted = [...rows].sort(([a], [b]) => (a ?? -1) - (b ?? -1));
  return { iterations, rows: sorted.map(([node, cells]) => ({ node, cells })), most };
}

/** How dark a cell is, 0 (nothing there) to 4: its share of the nodes, or of the largest size. */
export function level(cell: MatrixCell | undefined, { most }: Matrix, counted: boolean): number {
  if (!cell) return 0;
  const share = counted ? cell.nodes / Math.max(1, most.nodes) : most.each ? cell.each / most.each : 1;
  return Math.max(1, Math.min(4, Math.ceil(share * 4)));
}

/** The iterations whose number is written over their column: few enough not to touch. */
export function labelled(iterations: readonly number[], cell: number): ReadonlySet<number> {
  const digits = String(iterations.at(-1) ?? 0).length;
  const apart = Math.ceil((digits * 7 + 6) / Math.max(1, cell));
  const step = [1, 2, 5, 10, 20, 50, 100].find((candidate) => candidate >= apart) ?? apart;
  // the last ones would stand out over the edge
  return new Set(iterations.filter((n, at) => n % step === 0 && iterations.length - at >= apart));
}
