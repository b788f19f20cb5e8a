/** The lines of a notebook's cells that load the magics and start nodes, as IPython takes them. */

const LOAD = /^[ \t]*%(?:re)?load_ext[ \t]+manta_nb\b/m;
const START = /^[ \t]*(?:[\p{L}_][\p{L}\p{N}_]*[ \t]*=[ \t]*)?(%manta[ \t]+start\b.*)$/mu;

/** Whether a cell of code loads the magics. */
export function loadsMagics(source: string): boolean {
  return !isText(source) && LOAD.test(source);
}

/** The line of a cell of code that starts nodes, `%manta start --nodes 8`; "" where it has none. */
export function startOf(source: string): string {
  return (isText(source) ? '' : (START.exec(source)?.[1] ?? '')).trim();
}

/** A cell that is given to `%%bash`, `%%writefile` and the like is a text to IPython, whatever lines it has. */
function isText(source: string): boolean {
  return /^\s*%%/.test(source);
}
