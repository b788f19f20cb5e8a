/** The geometry of the canvas, and following a pointer across it. */
import { s } from '../monitor/dom';
import type { Box } from './draft';
import { BOX } from './draft';

export interface Point {
  x: number;
  y: number;
}

export function out(box: Box): Point {
  return { x: box.x + BOX.width, y: box.y + BOX.height / 2 };
}

/** From dot to box; one that skips a box of its row goes around it, one that goes back stays near both. */
export function curve(from: Point, to: Point): string {
  const across = to.x - from.x;
  const bend = across > 0 ? Math.max(24, across / 2) : 44;
  const around = across > BOX.width && Math.abs(to.y - from.y) < BOX.height ? BOX.height : 0;
  return `M${from.x},${from.y} C${from.x + bend},${from.y + around} ${to.x - bend},${to.y + around} ${to.x},${to.y}`;
}

export function arrowHead(id: string): SVGMarkerElement {
  const shape = { id, viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 8, markerHeight: 8, orient: 'auto' };
  return s(
    'marker',
    { ...shape, markerUnits: 'userSpaceOnUse' },
    s('path', { class: 'mb-head', d: 'M0,0 L8,4 L0,8 z' }),
  );
}

/** Follow the pointer from here to where it is let go; `ended` gets nothing where that was called off. */
export function follow(
  element: HTMLElement,
  event: PointerEvent,
  { moved, ended }: { moved: (at: Point) => void; ended: (at: Point | null) => void },
): void {
  const over = new AbortController();
  const { signal } = over;
  element.setPointerCapture(event.pointerId);
  element.addEventListener(
    'pointermove',
    (move) => {
      moved({ x: move.clientX, y: move.clientY });
    },
    { signal },
  );
  const end = (at: Point | null) => {
    over.abort();
    ended(at);
  };
  element.addEventListener(
    'pointerup',
    (up) => {
      end({ x: up.clientX, y: up.clientY });
    },
    { signal },
  );
  element.addEventListener(
    'pointercancel',
    () => {
      end(null);
    },
    { signal },
  );
}
