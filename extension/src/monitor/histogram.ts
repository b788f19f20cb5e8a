/** The spread of an array's numbers as bars. */
import { h, s } from './dom';
import { integer, number } from './format';
import type { Histogram } from './protocol';

const WIDTH = 420;
const HEIGHT = 120;
const LEFT = 44;
const FLOOR = 96;
const TOP = 8;

export interface Bar {
  readonly x: number;
  readonly width: number;
  readonly height: number;
  readonly said: string;
}

/** Where the bars stand between `LEFT` and `WIDTH`; a bar that is not empty is at least one pixel high. */
export function bars({ counts, edges }: Histogram, width = WIDTH - LEFT - 4, height = FLOOR - TOP): Bar[] {
  const most = Math.max(1, ...counts);
  const step = width / Math.max(1, counts.length);
  return counts.map((n, index) => ({
    x: index * step,
    width: Math.max(0.5, step - 1),
    height: n ? Math.max(1, (n / most) * height) : 0,
    said: `${integer(n)} between ${number(edges[index] ?? NaN)} and ${number(edges[index + 1] ?? NaN)}`,
  }));
}

/** `64 values from −0.2 to 0.3; most (12) between 0 and 0.05` */
export function spoken({ counts, edges }: Histogram): string {
  const total = counts.reduce((sum, n) => sum + n, 0);
  const fullest = counts.indexOf(Math.max(...counts));
  const ends = `from ${number(edges[0] ?? NaN)} to ${number(edges[edges.length - 1] ?? NaN)}`;
  const most = `between ${number(edges[fullest] ?? NaN)} and ${number(edges[fullest + 1] ?? NaN)}`;
  return `Histogram: ${integer(total)} values ${ends}; most (${integer(counts[fullest] ?? 0)}) ${most}`;
}

export function histogram(data: Histogram): HTMLElement {
  const drawn = bars(data).map(({ x, width, height, said }) =>
    s(
      'rect',
      {
        class: 'mp-bar-rect',
        x: (LEFT + x).toFixed(1),
        y: (FLOOR - height).toFixed(1),
        width: width.toFixed(1),
        height: height.toFixed(1),
      },
      s('title', {}, said),
    ),
  );
  const { edges } = data;
  const middle = Math.floor((edges.length - 1) / 2);
  const ticks = [...new Set([0, middle, edges.length - 1])].map((edge) =>
    tick(edge / (edges.length - 1), edges[edge] ?? NaN),
  );
  const svg = s(
    'svg',
    { class: 'mp-histogram', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': spoken(data) },
    s('line', { class: 'mp-axis', x1: LEFT, x2: WIDTH - 4, y1: FLOOR + 0.5, y2: FLOOR + 0.5 }),
    s(
      'text',
      { class: 'mp-tick', x: LEFT - 6, y: TOP + 9, 'text-anchor': 'end' },
      integer(Math.max(0, ...data.counts)),
    ),
    s('text', { class: 'mp-tick', x: LEFT - 6, y: FLOOR, 'text-anchor': 'end' }, '0'),
    ...drawn,
    ...ticks,
  );
  return h('figure', { class: 'mp-figure' }, svg);
}

function tick(part: number, value: number): SVGElement {
  const anchor = part === 0 ? 'start' : part === 1 ? 'end' : 'middle';
  const x = LEFT + part * (WIDTH - LEFT - 4);
  return s(
    'text',
    { class: 'mp-tick', x: x.toFixed(1), y: FLOOR + 16, 'text-anchor': anchor },
    number(value, 3),
  );
}
