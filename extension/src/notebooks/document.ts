/** A notebook as a file. */
import type { Cell } from './template';
import { cellsOf } from './template';
import { startLine, type StartOptions } from './startline';
import { usable, withData } from './dataset';
import { NOTEBOOK } from '../templates';

/** Which kernel runs it, as a notebook says so. */
export interface KernelSpec {
  readonly name: string;
  readonly display_name: string;
}

/** What the server has of kernels. */
export interface KernelSpecs {
  readonly default: string;
  readonly kernelspecs: Record<string, { display_name: string; language: string } | undefined>;
}

/** A notebook of format 4.5. */
export interface NotebookFile {
  [name: string]: unknown;
  readonly cells: readonly Record<string, unknown>[];
  readonly metadata: Record<string, unknown>;
  readonly nbformat: 4;
  readonly nbformat_minor: 5;
}

export function notebookFile(cells: readonly Cell[], kernel: KernelSpec): NotebookFile {
  return {
    cells: cells.map(({ kind, source }, at) => ({
      id: `cell-${at}-${random()}`,
      cell_type: kind,
      metadata: {},
      source,
      ...(kind === 'code' ? { execution_count: null, outputs: [] } : {}),
    })),
    metadata: {
      kernelspec: { name: kernel.name, display_name: kernel.display_name, language: 'python' },
      language_info: { name: 'python' },
    },
    nbformat: 4,
    nbformat_minor: 5,
  };
}

/** The Python to run a new notebook with: the server's default where that is one, else its first; null: none. */
export function pythonOf(specs: KernelSpecs | null): KernelSpec | null {
  const known = Object.entries(specs?.kernelspecs ?? {}).filter(([, spec]) => spec?.language === 'python');
  const [name, spec] =
    known.find(([each]) => each === specs?.default) ??
    known.find(([each]) => each === 'python3') ??
    known[0] ??
    [];
  return name !== undefined && spec ? { name, display_name: spec.display_name } : null;
}

/** The cells of a new swarm notebook: they run as they are, on the nodes that the settings ask for. */
export function swarmNotebook(options: StartOptions): Cell[] {
  const data = usable(options.data);
  const line = startLine({ ...options, data });
  return withData(cellsOf(NOTEBOOK), data).map(({ kind, source }) => ({
    kind,
    source: kind === 'code' && source.startsWith('%manta start') ? line : source,
  }));
}

function random(): string {
  return Math.random().toString(16).slice(2, 10).padEnd(8, '0');
}
