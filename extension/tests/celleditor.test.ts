import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EditorState, type EditorStateConfig, type TransactionSpec } from '@codemirror/state';
import { EditorView, type DecorationSet } from '@codemirror/view';
import { bracketsInCells } from '../src/cells/brackets';
import { colours } from '../src/cells/colours';
import { decorations, failedLines, markOf, setMark, type Mark } from '../src/cells/mark';

const state = (doc: string, more: EditorStateConfig = {}) => EditorState.create({ doc, ...more });

/** `class text` of each mark, `class @line` of each decorated line. */
function told(set: DecorationSet, { doc }: EditorState): string[] {
  const found: string[] = [];
  const cursor = set.iter();
  while (cursor.value) {
    const { class: name = 'widget' } = cursor.value.spec as { class?: string };
    found.push(
      cursor.from === cursor.to
        ? `${name} @${doc.lineAt(cursor.from).number}`
        : `${name} ${doc.sliceString(cursor.from, cursor.to)}`,
    );
    cursor.next();
  }
  return found;
}

const coloured = (text: string, ranges?: { from: number; to: number }[]) => {
  const made = state(text);
  return told(colours(made.doc, ranges ?? [{ from: 0, to: text.length }]), made);
};

test('the parts of a magic line are coloured, and the line is tinted', () => {
  assert.deepEqual(coloured('\n%%module worker --all # every\nx = 1'), [
    'mc-magic-line @2',
    'mc-magic %%module',
    'mc-name worker',
    'mc-option --all',
    'mc-comment # every',
  ]);
});

test('lines of %manta are coloured in Python, not in a module nor in the cells of other languages', () => {
  const line = 'x = 1\ns = %manta start';
  const some = ['mc-magic-line @2', 'mc-magic %manta', 'mc-name start'];

  assert.deepEqual(coloured(line), some);
  assert.deepEqual(coloured(`%%time\n${line}`).length, 3);
  assert.deepEqual(coloured(`%%swarm fl\n${line}`).length, 6);
  assert.deepEqual(coloured(`%%module worker\n${line}`).length, 3);
  assert.deepEqual(coloured(`%%bash\n${line}`), []);
});

test('of lines only those on the screen are read, each once', () => {
  const text = '%manta nodes\n%manta runs\n%manta stop';

  assert.deepEqual(
    coloured(text, [
      { from: 14, to: 16 },
      { from: 18, to: 20 },
    ]),
    ['mc-magic-line @2', 'mc-magic %manta', 'mc-name runs'],
  );
});

const MARK: Mark = { key: 'r', line: 2, text: 'node_3: ValueError', title: '' };

test('a failed line has a class, and a message below it', () => {
  const made = state('%%module worker\nraise ValueError\nx');

  assert.deepEqual(told(decorations(made, MARK), made), ['mc-failed-line @2', 'widget @2']);
  assert.equal(decorations(made, { ...MARK, line: 9 }).size, 0);
  assert.equal(decorations(made, { ...MARK, line: 0 }).size, 0);
});

test('a mark goes when the text changes, and stays when the cursor moves', () => {
  const before = state('%%module worker\nraise ValueError', { extensions: failedLines(() => undefined) });
  const marked = before.update({ effects: setMark.of(MARK) }).state;
  const after = (spec: TransactionSpec) => markOf(marked.update(spec).state);

  assert.equal(markOf(marked), MARK);
  assert.equal(after({ selection: { anchor: 3 } }), MARK);
  assert.equal(after({ changes: { from: 0, insert: ' ' } }), null);
  assert.equal(after({ effects: setMark.of(null) }), null);
});

/** Whether what is typed is looked at, for brackets to be closed. */
const closes = (made: EditorState) => made.facet(EditorView.inputHandler).length > 0;

test('brackets close themselves in our cells only, also when a cell becomes or ceases to be one', () => {
  const ordinary = state('%%modul w', { extensions: bracketsInCells(() => true) });
  const ours = ordinary.update({ changes: { from: 7, insert: 'e' } }).state;
  const noMore = ours.update({ changes: { from: 0, insert: '#' } }).state;

  assert.deepEqual([ordinary, ours, noMore].map(closes), [false, true, false]);
});

test('where a person has switched it off, nothing closes brackets', () => {
  let on = true;
  const first = state('', { extensions: bracketsInCells(() => on) });
  const ours = first.update({ changes: { from: 0, insert: '%%swarm fl' } }).state;
  on = false;
  const off = ours.update({ changes: { from: 0, insert: '\n' } }).state;

  assert.deepEqual([ours, off].map(closes), [true, false]);
});

test('the cursor coming into a cell is enough', () => {
  const made = state('%%swarm fl', { extensions: bracketsInCells(() => true) });
  const effects = made.facet(EditorView.focusChangeEffect).map((effect) => effect(made, true));

  assert.equal(closes(made), false);
  assert.equal(closes(made.update({ effects: effects.filter((each) => each !== null) }).state), true);
});
