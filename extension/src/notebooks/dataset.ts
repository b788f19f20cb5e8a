/** The dataset that a template is written for, and the others that it can be made for. */
import { startOf } from './lines';
import type { Cell } from './template';

/** The bundled sets with labels: numbers in a sample, and labels. */
const SHAPES: Record<string, readonly [number, number]> = {
  digits: [64, 10],
  breast_cancer: [30, 2],
  wine: [13, 3],
};
const WRITTEN_FOR = 'digits';
const DATA = /--data(?:[ \t]+|=)(["']?)(\w+)\1(?=[ \t]|$)/;

/** `name` where a template can be made for it, else the one that it is written for. */
export function usable(name: string): string {
  return Object.hasOwn(SHAPES, name) ? name : WRITTEN_FOR;
}

/** The data that a notebook starts its nodes with. */
export function dataName(sources: readonly string[]): string {
  const found = sources.map((source) => DATA.exec(startOf(source))?.[2] ?? '').filter(Boolean);
  return usable(found.at(-1) ?? WRITTEN_FOR);
}

/** The same cells for another dataset. */
export function withData(cells: readonly Cell[], name: string): Cell[] {
  const [features, labels] = SHAPES[name] ?? [64, 10];
  return cells.map(({ kind, source }) => ({
    kind,
    source:
      kind === 'markdown'
        ? source
        : source
            .replaceAll(`"${WRITTEN_FOR}"`, `"${name}"`)
            .replace('np.zeros((64, 10))', `np.zeros((${features}, ${labels}))`)
            .replace('np.zeros(10)', `np.zeros(${labels})`),
  }));
}
