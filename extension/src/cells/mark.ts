/** The line of a cell that failed on a node, marked in the cell's editor, with a line below it that says why. */
import { EditorState, StateEffect, StateField, type Extension } from '@codemirror/state';
import { Decoration, EditorView, WidgetType, type DecorationSet } from '@codemirror/view';
import { h } from '../monitor/dom';

export interface Mark {
  /** names what failed: the same key is the same mark */
  readonly key: string;
  /** from 1 */
  readonly line: number;
  /** one line: `node_3: ValueError: …` */
  readonly text: string;
  /** more of it, as a tooltip */
  readonly title: string;
}

/** Mark a line; null: none. */
export const setMark = StateEffect.define<Mark | null>();

const closed = StateEffect.define<string>();
const LINE = Decoration.line({ class: 'mc-failed-line' });

/** The mark of an editor goes by itself when its text changes: it was about another text. */
const marked = StateField.define<Mark | null>({
  create: () => null,
  update(mark, transaction) {
    let now = transaction.docChanged ? null : mark;
    for (const effect of transaction.effects) {
      if (effect.is(setMark)) now = effect.value;
      if (effect.is(closed)) now = null;
    }
    return now;
  },
  provide: (field) =>
    EditorView.decorations.compute([field], (state) => decorations(state, state.field(field))),
});

/** The mark of an editor; null where it has none. */
export function markOf(state: EditorState): Mark | null {
  return state.field(marked, false) ?? null;
}

/** Where it is drawn; nothing where the text has no such line. */
export function decorations(state: EditorState, mark: Mark | null): DecorationSet {
  if (!mark || mark.line < 1 || mark.line > state.doc.lines) return Decoration.none;
  const line = state.doc.line(mark.line);
  const widget = Decoration.widget({ widget: new Reason(mark), block: true, side: 1 });
  return Decoration.set([LINE.range(line.from), widget.range(line.to)]);
}

/** `onClose` hears the key of a mark that the person has closed. */
export function failedLines(onClose: (key: string) => void): Extension {
  return [
    marked,
    EditorView.updateListener.of(({ transactions, geometryChanged, state, view }) => {
      if (geometryChanged && markOf(state)) tellRoom(view);
      for (const effect of transactions.flatMap((each) => each.effects)) {
        if (effect.is(closed)) onClose(effect.value);
      }
    }),
  ];
}

/** Long lines make the text wider than what is seen of it: the message keeps to what is seen. */
function tellRoom(view: EditorView): void {
  const { scrollDOM } = view;
  view.requestMeasure({
    key: tellRoom,
    read: () => scrollDOM.clientWidth,
    write: (width) => {
      // out of sight it has none
      if (width) scrollDOM.style.setProperty('--mc-room', `${width}px`);
    },
  });
}

class Reason extends WidgetType {
  constructor(private readonly mark: Mark) {
    super();
  }

  override eq({ mark }: Reason): boolean {
    return mark.key === this.mark.key && mark.text === this.mark.text && mark.title === this.mark.title;
  }

  override toDOM(view: EditorView): HTMLElement {
    const { key, text, title } = this.mark;
    const close = (): void => {
      view.dispatch({ effects: closed.of(key) });
      view.focus();
    };
    const label = 'Close this message';
    const button = { class: 'mc-reason-close', type: 'button', 'aria-label': label, title: label } as const;
    return h(
      'div',
      { class: 'mc-reason', role: 'note', title },
      h('span', { class: 'mc-reason-text' }, text),
      h('button', { ...button, on: { click: close } }, '×'),
    );
  }

  override ignoreEvent(): boolean {
    return true;
  }
}
