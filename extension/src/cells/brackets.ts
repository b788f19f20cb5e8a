/** Brackets and quotes close themselves in our cells, whatever they do in others. */
import { closeBrackets, closeBracketsKeymap } from '@codemirror/autocomplete';
import {
  Compartment,
  EditorState,
  Prec,
  type Extension,
  type StateEffect,
  type Text,
} from '@codemirror/state';
import { EditorView, keymap } from '@codemirror/view';
import { magicIn } from './colours';

/**
 * `enabled` is asked when the text changes and when the cursor comes.
 *
 * Where JupyterLab closes brackets itself, this comes first and what has been typed is handled once.
 */
export function bracketsInCells(enabled: () => boolean): Extension {
  const closing = Prec.highest([closeBrackets(), keymap.of(closeBracketsKeymap)]);
  const compartment = new Compartment();
  const change = (before: EditorState, doc: Text): StateEffect<unknown> | null => {
    const wanted = enabled() && magicIn(doc) !== null;
    const now = compartment.get(before) === closing;
    return wanted === now ? null : compartment.reconfigure(wanted ? closing : []);
  };
  return [
    compartment.of([]),
    EditorState.transactionExtender.of((transaction) => {
      if (!transaction.docChanged) return null;
      const effect = change(transaction.startState, transaction.newDoc);
      return effect && { effects: effect };
    }),
    EditorView.focusChangeEffect.of((state, focusing) => (focusing ? change(state, state.doc) : null)),
  ];
}
