/**
 * Which classes of a Python file are swarms, as far as its text says so.
 *
 * Texts and comments are blanked first; then imports and the heads of top-level classes are read. A class is a
 * swarm if a base of it is `Swarm` of manta or manta_nb, or such a class, or is called `…Swarm` and imported.
 */

/** The names of the swarms that a file defines, in its order. */
export function swarmClasses(python: string): string[] {
  const code = withoutTexts(python);
  const swarms = new Set<string>();
  const bases = new Imports(code);
  for (const { name, parents } of classes(code)) {
    if (parents.some((parent) => swarms.has(parent) || bases.isSwarm(parent))) swarms.add(name);
    else swarms.delete(name);
  }
  return [...swarms];
}

/** What the names that a file imports stand for. */
class Imports {
  /** name → where it is from: "manta.swarm.Swarm" */
  private readonly known = new Map<string, string>();
  private readonly starred: boolean;

  constructor(code: string) {
    const logical = code.replace(/\\\n/g, ' ').replace(/\([^()]*\)/g, (group) => group.replace(/\n/g, ' '));
    let starred = false;
    for (const [, module, list] of logical.matchAll(/^[ \t]*from[ \t]+([\w.]+)[ \t]+import[ \t]+(.+)$/gm)) {
      if (!module || !list) continue;
      if (list.includes('*')) starred ||= ours(module);
      for (const [name, alias] of aliases(list)) this.known.set(alias, `${module}.${name}`);
    }
    for (const [, list] of logical.matchAll(/^[ \t]*import[ \t]+(.+)$/gm))
      for (const [name, alias] of aliases(list ?? '')) {
        const root = name.split('.')[0] ?? '';
        // `import manta.swarm` binds `manta`, `import manta.swarm as ms` the submodule
        this.known.set(alias === name ? root : alias, alias === name ? root : name);
      }
    this.starred = starred;
  }

  isSwarm(base: string): boolean {
    const [first = '', ...rest] = base.split('.');
    const from = this.known.get(first);
    if (from === undefined) return this.starred && base === 'Swarm';
    const full = [from, ...rest].join('.');
    return /(?:^|\.)Swarm$/.test(full) ? ours(full) || full.startsWith('.') : /Swarm$/.test(full);
  }
}

function ours(path: string): boolean {
  return /^(?:manta|manta_nb)(?:\.|$)/.test(path);
}

/** `a, b as c` → [["a", "a"], ["b", "c"]] */
function aliases(list: string): [string, string][] {
  return list
    .replace(/[();]/g, ' ')
    .split(',')
    .map((each) => each.trim().split(/\s+as\s+/))
    .filter(([name]) => name && /^[\p{L}_][\p{L}\p{N}_.]*$/u.test(name))
    .map(([name = '', alias = name]) => [name, alias]);
}

/** The classes that stand at the left margin, with what they are derived from. */
function* classes(code: string): Generator<{ name: string; parents: string[] }> {
  // a class without brackets has no parents, and `class A[T](…)` names types first; the blanks stand inside the
  // group, else a line of nothing but blanks takes quadratic time
  const head =
    /^class[ \t]+([\p{L}_][\p{L}\p{N}_]*)(?:\[[^\]\n]*\])?(?:[ \t]*\(([^()]*(?:\([^()]*\)[^()]*)*)\))?/gmu;
  for (const [, name = '', list = ''] of code.matchAll(head))
    yield {
      name,
      parents: list
        .split(',')
        .map((each) => each.replace(/\s|\\/g, '').replace(/\[.*$/, ''))
        .filter((each) => each && !each.includes('=')),
    };
}

const TOKEN = /#[^\n]*|("""|'''|"|')/g;

/** The same lines with texts and comments taken out; what stands where they stood is blank. */
function withoutTexts(python: string): string {
  const source = python.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n');
  let out = '';
  let at = 0;
  TOKEN.lastIndex = 0;
  for (let found = TOKEN.exec(source); found; found = TOKEN.exec(source)) {
    out += source.slice(at, found.index);
    at = found[1] ? endOfText(source, TOKEN.lastIndex, found[1]) : TOKEN.lastIndex;
    // lines stay where they are; only a bracket or a name must not come out of it
    out += source.slice(found.index, at).replace(/[^\n]/g, ' ').replace(/\n/g, '\n ');
    TOKEN.lastIndex = at;
  }
  return out + source.slice(at);
}

/** Where a text that was opened by `quote` is over. */
function endOfText(source: string, from: number, quote: string): number {
  for (let at = from; at < source.length; at += 1) {
    if (source[at] === '\\') at += 1;
    else if (source.startsWith(quote, at)) return at + quote.length;
    else if (quote.length === 1 && source[at] === '\n') return at;
  }
  return source.length;
}
