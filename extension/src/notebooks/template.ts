/**
 * Templates: cells written as a Python file, and what becomes of them in a notebook.
 *
 * A line `# %% [code]` or `# %% [markdown]` begins a cell, `# %% [template] worker` stands for the cells of that
 * template; what is above the first is a note to those who read the file. Magics and markdown are comments in it.
 */
import { magicOf } from '../cells/magic';
import { TEMPLATES, type Template } from '../templates';
import { dataName, withData } from './dataset';
import { loadsMagics } from './lines';

export interface Cell {
  readonly kind: 'code' | 'markdown';
  readonly source: string;
}

const MARK = /^# %% \[(code|markdown|template)\] ?(\w*)$/m;

/** The cells of a template's text. */
export function cellsOf(text: string): Cell[] {
  const [, ...pieces] = text.split(MARK);
  const cells: Cell[] = [];
  for (let at = 0; at + 2 < pieces.length; at += 3) {
    const [kind, name, body] = [pieces[at], pieces[at + 1], (pieces[at + 2] ?? '').trim()];
    if (kind === 'template') cells.push(...cellsOf(TEMPLATES.find(({ id }) => id === name)?.text ?? ''));
    else if (kind === 'markdown') cells.push({ kind, source: body.replace(/^# ?/gm, '') });
    else cells.push({ kind: 'code', source: body.replace(/^# (?=%)/gm, '') });
  }
  return cells;
}

/**
 * What to insert into a notebook with these code cells, below the first `above` of them: it runs as it is.
 *
 * Names that the notebook has already get a number, `worker_2`, so that both go on working; the magics are loaded
 * first where no cell above does; and the data are those that the notebook starts its nodes with.
 */
export function cellsFor(template: Template, sources: readonly string[], above = sources.length): Cell[] {
  const cells = withData(cellsOf(template.text), dataName(sources));
  const own = namesOf(cells.map((cell) => cell.source));
  const renamed = cells.map(({ kind, source }) => ({
    kind,
    source: rename(source, own, suffix(own, sources)),
  }));
  const loaded = sources.slice(0, above).some(loadsMagics);
  return loaded ? renamed : [{ kind: 'code', source: '%load_ext manta_nb' }, ...renamed];
}

/** The modules and runs that cells define. */
function namesOf(sources: readonly string[]): string[] {
  return [...new Set(sources.flatMap((source) => magicOf(source)?.names ?? []))];
}

/** The least number that makes all `names` new ones; "" where they are new as they are. */
function suffix(names: readonly string[], sources: readonly string[]): string {
  const taken = new Set(namesOf(sources));
  const used = sources.join('\n');
  const free = (end: string): boolean =>
    names.every(
      (name) => !taken.has(name + end) && !new RegExp(`^[ \\t]*${name}${end}[ \\t]*=[^=]`, 'm').test(used),
    );
  let number = 1;
  while (!free(number === 1 ? '' : `_${number}`)) number += 1;
  return number === 1 ? '' : `_${number}`;
}

function rename(source: string, names: readonly string[], end: string): string {
  if (!end || !names.length) return source;
  // not in a text: tags stay, they are a run's own
  return source.replace(
    new RegExp(`(?<![\\w"'.])(?:${names.join('|')})(?![\\w"'])`, 'g'),
    (name) => name + end,
  );
}
