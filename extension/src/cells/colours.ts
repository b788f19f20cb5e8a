/** The colours of our magic lines, beside those that JupyterLab gives to Python. */
import { RangeSetBuilder, type Extension, type Text } from '@codemirror/state';
import { Prec } from '@codemirror/state';
import {
  Decoration,
  ViewPlugin,
  type DecorationSet,
  type EditorView,
  type ViewUpdate,
} from '@codemirror/view';
import { readLine, readMagic, type Magic, type Part, type Role } from './magic';

const LINE = Decoration.line({ class: 'mc-magic-line' });
const PARTS: Record<Role, Decoration> = {
  magic: Decoration.mark({ class: 'mc-magic' }),
  name: Decoration.mark({ class: 'mc-name' }),
  option: Decoration.mark({ class: 'mc-option' }),
  value: Decoration.mark({ class: 'mc-value' }),
  comment: Decoration.mark({ class: 'mc-comment' }),
};
/** Cells of other magics hold other languages; these run their text as Python. */
const PYTHON = /^\s*%%(time|timeit|capture|prun)\b/;

/** The magic of the cell that is edited; null where it is none of ours. */
export function magicIn(doc: Text): Magic | null {
  return readMagic(doc.lines, (index) => doc.line(index + 1));
}

/** What to colour in these ranges. */
export function colours(doc: Text, ranges: readonly { from: number; to: number }[]): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  const magic = magicIn(doc);
  if (magic) paint(builder, magic.from, magic.parts);
  if (magic?.kind !== 'module' && mayHaveLines(doc, magic)) paintLines(builder, doc, ranges);
  return builder.finish();
}

function mayHaveLines(doc: Text, magic: Magic | null): boolean {
  const first = magic ? '' : doc.line(1).text;
  return !first.trimStart().startsWith('%%') || PYTHON.test(first);
}

function paintLines(
  builder: RangeSetBuilder<Decoration>,
  doc: Text,
  ranges: readonly { from: number; to: number }[],
): void {
  let done = -1;
  for (const range of ranges) {
    for (let at = range.from; at <= range.to;) {
      const line = doc.lineAt(at);
      at = line.to + 1;
      // two ranges may share a line
      if (line.from <= done || !line.text.includes('%manta')) continue;
      done = line.from;
      const parts = readLine(line.text, line.from);
      if (parts) paint(builder, line.from, parts);
    }
  }
}

function paint(builder: RangeSetBuilder<Decoration>, line: number, parts: readonly Part[]): void {
  builder.add(line, line, LINE);
  for (const { role, from, to } of parts) if (to > from) builder.add(from, to, PARTS[role]);
}

class Painter {
  decorations: DecorationSet;

  constructor(view: EditorView) {
    this.decorations = colours(view.state.doc, view.visibleRanges);
  }

  update({ docChanged, viewportChanged, view }: ViewUpdate): void {
    if (docChanged || viewportChanged) this.decorations = colours(view.state.doc, view.visibleRanges);
  }
}

/**
 * Outermost: to the editor the words of the line are Python, which has other words. The style sheet sees to it that the
 * colours of those do not show.
 */
export const magicColours: Extension = Prec.low(
  ViewPlugin.fromClass(Painter, { decorations: (painter) => painter.decorations }),
);
