/** A Python file with a swarm as a notebook: its name on a magic line, and the cells. */
import { quoted, startLine, writable, type StartOptions } from './startline';
import type { Cell } from './template';

/** Why a file cannot be named on a magic line; "" where it can. */
export function unusable(file: string): string {
  return writable(file) ? '' : 'a magic line cannot hold { } or $ of its name: rename it first';
}

/** `swarm.py:FLSwarm` as `%manta run` takes it. */
export function runWord(file: string, name: string): string {
  // a word with a dash is an option, and ~ a home
  return quoted(`${/^[-~]/.test(file) ? './' : ''}${file}:${name}`);
}

/** The cells that run the class `name` of a file in the notebook's folder. */
export function openedAs(file: string, name: string, options: StartOptions): Cell[] {
  const code = (source: string): Cell => ({ kind: 'code', source });
  return [
    { kind: 'markdown', source: `# ${name}\n\nA swarm of the file \`${file.replaceAll('`', "'")}\`.` },
    code('%load_ext manta_nb'),
    code(startLine(options)),
    code(`run = %manta run ${runWord(file, name)} --iterations 20\nrun`),
    code('run.wait()\nrun.metrics'),
  ];
}
