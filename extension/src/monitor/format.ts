/** Numbers as people read them, in the same words as the Python side. */

/** `1,437`, `0.9123`, `12,346`, `1.2e-5`, `NaN`; null is a dash. */
export function number(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined) return '–';
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e15) return integer(value);
  if (size >= 1e15 || size < 1e-4) return minus(exponential(value, digits));
  if (size >= 1e4) return integer(Math.round(value));
  return minus(String(Number(value.toPrecision(digits))));
}

/** `12,346` */
export function integer(value: number): string {
  return minus(
    Math.round(value)
      .toString()
      .replace(/\B(?=(\d{3})+(?!\d))/g, ','),
  );
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `0 B`, `1.2 kB`, `34 MB`: powers of 1000, as in `parse_bytes`. */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  let size = value;
  let unit = 0;
  while (Math.abs(size) >= 999.5 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const shown =
    unit === 0 || size >= 99.95
      ? Math.round(size).toString()
      : String(Number(size.toPrecision(size < 10 ? 2 : 3)));
  return `${shown} ${UNITS[unit] ?? ''}`;
}

/** `0.8 s`, `12 s`, `1 min 5 s`, `2 h 3 min` */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '–';
  if (seconds < 0.0995) return `${Math.round(Math.max(0, seconds) * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return joined(Math.floor(whole / 60), 'min', whole < 600 ? whole % 60 : 0, 's');
  return joined(Math.floor(whole / 3600), 'h', Math.floor((whole % 3600) / 60), 'min');
}

/** A clock that ticks without changing its width: `0:07`, `12:05`, `1:02:33`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 60) % 60, whole % 60];
  const hours = Math.floor(whole / 3600);
  const [minutes = 0, rest = 0] = parts;
  const tail = String(rest).padStart(2, '0');
  return hours ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}

/** `42 %` of a fraction. */
export function percent(fraction: number | null | undefined): string {
  if (fraction === null || fraction === undefined || !Number.isFinite(fraction)) return '–';
  return `${Math.round(fraction * 100)} %`;
}

/** `1 node`, `12 nodes`, `0 nodes` */
export function count(value: number, one: string, many = `${one}s`): string {
  return `${integer(value)} ${value === 1 ? one : many}`;
}

/** At most `length` characters, the last one an ellipsis. */
export function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return `${large} ${largeUnit}` + (small ? ` ${small} ${smallUnit}` : '');
}

function exponential(value: number, digits: number): string {
  const [mantissa = '0', exponent = '0'] = value.toExponential(Math.max(0, digits - 2)).split('e');
  return `${Number(mantissa)}e${Number(exponent)}`;
}

function minus(text: string): string {
  return text.replace(/^-/, '−');
}
