/** Where in a cell the kernel may know what can stand there: our magic lines, strings that may be tags, flows. */
import { magicOf, readLine } from './magic';

/** What a string stands after where it may be a tag, a node or a name: `fl.globals["`, `set_global("`, `tag="`. */
const BEFORE_STRING = /(?:[[(,=]\s*|^\s*)[a-zA-Z]{0,2}$/;

/** A module's name in a flow: where a line begins, and after `>>`, also in a list. */
const FLOW = /(?:^|>>[^()]*)\s*\w*$/;

/** Whether to ask the kernel for what may stand at `at`; `at` counts as the text does. */
export function asks(text: string, at: number): boolean {
  const begin = text.lastIndexOf('\n', at - 1) + 1;
  const typed = text.slice(begin, at);
  const magic = magicOf(text);
  const onMagic = magic !== null && at > (magic.parts[0]?.to ?? 0) && at <= magic.to;
  if (onMagic || readLine(typed, 0)) return !inComment(typed);
  if (!magic && text.trimStart().startsWith('%%')) return false;
  const { string, code } = endOf(typed);
  if (string !== null) return BEFORE_STRING.test(string);
  return code && magic?.kind === 'swarm' && FLOW.test(typed);
}

function inComment(typed: string): boolean {
  const parts = magicOf(typed)?.parts ?? readLine(typed, 0) ?? [];
  return parts.at(-1)?.role === 'comment';
}

/** How a line ends: in a string, after that text; in code; or in a comment. */
function endOf(typed: string): { string: string | null; code: boolean } {
  let quote = '';
  let from = 0;
  for (let at = 0; at < typed.length; at += 1) {
    const letter = typed.charAt(at);
    if (quote) {
      if (letter === '\\') at += 1;
      else if (letter === quote) quote = '';
    } else if (letter === '#') return { string: null, code: false };
    else if (letter === '"' || letter === "'") [quote, from] = [letter, at];
  }
  return { string: quote ? typed.slice(0, from) : null, code: quote === '' };
}
