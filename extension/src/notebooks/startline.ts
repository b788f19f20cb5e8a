/** The line that starts nodes, and words on it as `manta_nb/ui/line.py` reads them. */
import type { Settings } from './options';

export type StartOptions = Pick<Settings, 'nodes' | 'data' | 'partition' | 'alpha'>;

const BARE = /^[\p{L}\p{N}_./\\:@%+,=~-]+$/u;

/** `%manta start --nodes 8 --data digits --partition dirichlet --alpha 0.3` */
export function startLine({ nodes, data, partition, alpha }: StartOptions): string {
  const words = ['%manta start', `--nodes ${nodes}`];
  if (data.trim()) {
    words.push(`--data ${quoted(data.trim())}`);
    if (partition !== 'iid') words.push(`--partition ${partition}`);
    if (partition === 'dirichlet') words.push(`--alpha ${alpha}`);
  }
  return words.join(' ');
}

/** A word of a magic line, in quotes where it needs them: blanks, `#`, and quotes of the other kind are kept. */
export function quoted(word: string): string {
  if (BARE.test(word)) return word;
  // there are no escapes: a text with both kinds is written in pieces
  return (word.match(/[^"]+|"+/g) ?? [''])
    .map((piece) => (piece.startsWith('"') ? `'${piece}'` : `"${piece}"`))
    .join('');
}

/** Whether a word can stand on a magic line at all: `{…}` and `$…` are replaced there, and a line has one line. */
export function writable(word: string): boolean {
  // eslint-disable-next-line no-control-regex
  return !/\{\w*\}|[{}$]|[\x00-\x1f\x7f\u2028\u2029]/.test(word);
}
