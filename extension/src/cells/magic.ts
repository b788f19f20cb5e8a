/**
 * The magic line of a cell: what it defines, and where each part of it stands.
 *
 * Read as IPython and `manta_nb/ui/line.py` read it: lines of blanks before it do not count, anything else before it
 * makes it an ordinary cell, and ` #` outside quotes begins a comment.
 */

export type Kind = 'module' | 'swarm' | 'script';

export type Role = 'magic' | 'name' | 'option' | 'value' | 'comment';

/** A part of a line; positions count from the beginning of the text that was read. */
export interface Part {
  readonly role: Role;
  readonly from: number;
  readonly to: number;
}

/** The magic line of one of our cells. */
export interface Magic {
  readonly kind: Kind;
  /** the modules of `%%module a,b`, the run of `%%swarm fl`; empty while it is being typed */
  readonly names: readonly string[];
  /** of `--file`; "" is the main file */
  readonly file: string;
  /** each with its value as written, without quotes; "" where it takes none */
  readonly options: ReadonlyMap<string, string>;
  readonly parts: readonly Part[];
  /** the line it stands on, from 0 */
  readonly line: number;
  /** where that line begins and ends */
  readonly from: number;
  readonly to: number;
}

const KINDS: Record<string, Kind> = {
  '%%module': 'module',
  '%%swarm': 'swarm',
  '%%swarm_learning': 'script',
};
/** IPython takes what stands before the first blank for the name: `%%swarm?` and `%%swarm<Tab>` are others. */
const CELL = /^([ \t]*)(%%(?:module|swarm_learning|swarm))(?: |$)/;
const LINE = /^(\s*(?:[\p{L}_][\p{L}\p{N}_.]*\s*=\s*)?)(%manta)(?:\s|$)/u;
/** Options without a value; what follows any other belongs to it. */
const FLAGS = new Set([
  ...['--all', '--fixed', '--no-local', '--wait', '--dry-run', '--keep', '--help', '--compare', '--prune'],
  ...['--cold', '--no-startup', '--no-validate', '--real-fedn', '--yes'],
]);
/** Empty lines before a magic: more of them are not looked through. */
const MOST_EMPTY = 50;

/** The magic of a cell, given its lines and where each begins; null where it is no cell of ours. */
export function readMagic(
  lines: number,
  at: (index: number) => { readonly text: string; readonly from: number },
): Magic | null {
  for (let index = 0; index < Math.min(lines, MOST_EMPTY); index += 1) {
    const { text, from } = at(index);
    if (text.trim() !== '') return readCellLine(text, from, index);
  }
  return null;
}

/** The magic of a cell's whole text. */
export function magicOf(source: string): Magic | null {
  const lines = source.split('\n', MOST_EMPTY);
  let from = 0;
  const begins = lines.map((line) => (from += line.length + 1) - line.length - 1);
  return readMagic(lines.length, (index) => ({ text: lines[index] ?? '', from: begins[index] ?? 0 }));
}

/** The text below the magic line, as the magic gets it: what the kernel's digest is of. */
export function textBelow(source: string, magic: Magic): string {
  const body = source.slice(Math.min(magic.to + 1, source.length));
  const indent = /^[ \t]*/.exec(source.slice(magic.from, magic.to))?.[0] ?? '';
  if (!indent) return body;
  return body
    .split('\n')
    .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
    .join('\n');
}

function readCellLine(text: string, from: number, line: number): Magic | null {
  const found = CELL.exec(text);
  const word = found?.[2] ?? '';
  const kind = KINDS[word];
  if (!found || !kind) return null;
  const begin = found[1]?.length ?? 0;
  const read = readWords(text, begin + word.length, from);
  const names = read.name.split(',').filter(Boolean);
  const parts: Part[] = [
    { role: 'magic', from: from + begin, to: from + begin + word.length },
    ...read.parts,
  ];
  const { options } = read;
  return {
    kind,
    names,
    file: options.get('--file') ?? '',
    options,
    parts,
    line,
    from,
    to: from + text.length,
  };
}

/** The parts of a `%manta` line, as `%manta stop fl` or `s = %manta start`; null where it is none. */
export function readLine(text: string, from: number): Part[] | null {
  const found = LINE.exec(text);
  if (!found) return null;
  const begin = found[1]?.length ?? 0;
  const end = begin + '%manta'.length;
  return [{ role: 'magic', from: from + begin, to: from + end }, ...readWords(text, end, from).parts];
}

interface Words {
  parts: Part[];
  options: Map<string, string>;
  /** the first word that is no option and no option's value */
  name: string;
}

/** The words of a line from `start` on. */
function readWords(text: string, start: number, offset: number): Words {
  const words: Words = { parts: [], options: new Map(), name: '' };
  let waits = '';
  for (const { from, to, comment } of split(text, start)) {
    const add = (role: Role, begin = from, end = to): void => {
      words.parts.push({ role, from: offset + begin, to: offset + end });
    };
    const word = text.slice(from, to);
    if (comment) add('comment');
    else if (waits && !/^--?[a-z]/i.test(word)) {
      add('value');
      words.options.set(waits, unquoted(word));
      waits = '';
    } else if (word.startsWith('-')) {
      const sign = word.indexOf('=');
      const option = sign < 0 ? word : word.slice(0, sign);
      add('option', from, from + option.length);
      if (sign >= 0) add('value', from + sign + 1);
      words.options.set(option, sign < 0 ? '' : unquoted(word.slice(sign + 1)));
      waits = sign < 0 && !FLAGS.has(option) ? option : '';
    } else {
      add(words.name ? 'value' : 'name');
      words.name ||= unquoted(word);
    }
  }
  return words;
}

/** Words between blanks; quotes keep blanks in, and ` #` outside them begins the comment. */
function* split(text: string, start: number): Generator<{ from: number; to: number; comment: boolean }> {
  let at = start;
  while (at < text.length) {
    if (/\s/.test(text.charAt(at))) {
      at += 1;
      continue;
    }
    if (text.charAt(at) === '#') {
      yield { from: at, to: text.trimEnd().length, comment: true };
      return;
    }
    const from = at;
    for (let quote = ''; at < text.length; at += 1) {
      const letter = text.charAt(at);
      if (quote) quote = letter === quote ? '' : quote;
      else if (/\s/.test(letter)) break;
      else if (letter === '"' || letter === "'") quote = letter;
    }
    yield { from, to: at, comment: false };
  }
}

function unquoted(word: string): string {
  return word.replace(/["']/g, '');
}
