/**
 * What names the text of a cell, here and in the kernel: `manta_nb/ui/panel/digest.py` gives the same, and
 * `tests/fixtures/digests.json` holds both to it.
 */

/** Lines of blanks only: IPython 9 empties them before a magic sees them, IPython 8 does not. */
const BLANK = /^[ \t]+$/;
const POLYNOMIAL = 0xedb88320;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value >>> 0;
});

/** `0a1b2c3d-42`: CRC-32 and length of the UTF-8; blanks on empty lines and newlines at the end do not count. */
export function digest(text: string): string {
  const lines = text.split('\n').map((line) => (BLANK.test(line) ? '' : line));
  while (lines.at(-1) === '') lines.pop();
  const bytes = new TextEncoder().encode(lines.join('\n'));
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] ?? 0);
  return `${((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, '0')}-${bytes.length}`;
}
