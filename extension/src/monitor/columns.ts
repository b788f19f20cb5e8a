/** Columns of numbers that grow at the end. */

/** A growing array of float64; `view()` is valid until the next `push`. */
export class Column {
  length = 0;
  private data = new Float64Array(64);

  at(index: number): number {
    return index < this.length ? (this.data[index] ?? NaN) : NaN;
  }

  set(index: number, value: number): void {
    this.data[index] = value;
  }

  push(value: number): void {
    if (this.length === this.data.length) {
      const larger = new Float64Array(2 * this.length);
      larger.set(this.data);
      this.data = larger;
    }
    this.data[this.length] = value;
    this.length += 1;
  }

  /** Forget everything from `length` on. */
  cut(length: number): void {
    this.length = Math.min(this.length, length);
  }

  view(): Float64Array {
    return this.data.subarray(0, this.length);
  }
}

/** The first index of sorted `values` that is not below `wanted`. */
export function lowerBound(values: ArrayLike<number>, wanted: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] ?? Infinity) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
