/** Drawing along a flow and across it, whichever of the two is x. */

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Label {
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'middle' | 'end';
  readonly turned: boolean;
}

/** A rectangle along and across the flow. */
export interface Spot {
  readonly start: number;
  readonly stop: number;
  readonly low: number;
  readonly high: number;
}

/** Turns along and across into x and y. */
export class Plane {
  constructor(private readonly vertical: boolean) {}

  point(main: number, cross: number): string {
    const [x, y] = this.vertical ? [cross, main] : [main, cross];
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  }

  rect({ start, stop, low, high }: Spot): Rect {
    const [x, y, width, height] = this.vertical
      ? [low, start, high - low, stop - start]
      : [start, low, stop - start, high - low];
    return { x, y, width, height };
  }

  label(main: number, cross: number, anchor: Label['anchor'], turned = false): Label {
    const [x, y] = this.vertical ? [cross, main] : [main, cross];
    return { x, y, anchor, turned: turned && this.vertical };
  }

  /** A curve that leaves and arrives along the flow. */
  curve(main: number, cross: number, toMain: number, toCross: number): string {
    const bow = (toMain - main) / 2;
    const [a, b] = [this.point(main + bow, cross), this.point(toMain - bow, toCross)];
    return `C${a} ${b} ${this.point(toMain, toCross)}`;
  }

  /** An arrow's head with its tip at a place, pointing along the flow or (`back`) against `cross`. */
  head(main: number, cross: number, back = false): string {
    const wings = back ? ([[-4, 7], [4, 7]] as const) : ([[-7, -4], [-7, 4]] as const); // prettier-ignore
    return [this.point(main, cross), ...wings.map(([dm, dc]) => this.point(main + dm, cross + dc))].join(' ');
  }

  /** Straight lines with round corners. */
  rounded(places: readonly (readonly [number, number])[], radius = 8): string {
    return places
      .map(([main, cross], at) => {
        const before = places[at - 1];
        const after = places[at + 1];
        if (!before) return `M${this.point(main, cross)}`;
        if (!after) return `L${this.point(main, cross)}`;
        const near = (other: readonly [number, number]): string =>
          this.point(...towards([main, cross], other, radius));
        return `L${near(before)}Q${this.point(main, cross)} ${near(after)}`;
      })
      .join('');
  }
}

function towards(
  from: readonly [number, number],
  to: readonly [number, number],
  by: number,
): [number, number] {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
  const part = Math.min(0.5, by / length);
  return [from[0] + (to[0] - from[0]) * part, from[1] + (to[1] - from[1]) * part];
}
