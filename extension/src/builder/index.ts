/** The swarm builder, an anywidget: see `manta_nb/ui/defining/builder.py` for what the kernel does. */
import { h } from '../monitor/dom';
import type { Model } from './board';
import { Board } from './board';
import { Canvas } from './canvas';
import type { Box } from './draft';
import { addBox, connect } from './draft';
import { Inspector, Palette } from './inspector';
import { Outcome } from './outcome';
import { Settings } from './settings';
import style from './style.css';

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const board = new Board(model);
  const canvas = new Canvas(board);
  const palette = new Palette(board, (module) => {
    add(board, canvas, module);
  });
  const inspector = new Inspector(board, (key) => {
    canvas.focus(key);
  });
  const parts = [palette, canvas, inspector, new Settings(board), new Outcome(board)];
  const help =
    'Select a box with the mouse or Tab and Enter; arrow keys move it, Delete removes it. ' +
    'Connect to … draws an arrow without a mouse.';
  const root = h(
    'div',
    { class: 'mb', role: 'group', 'aria-label': 'Swarm builder' },
    h('style', {}, style),
    h('div', { class: 'mb-top' }, palette.el, canvas.el, inspector.el),
    h('p', { class: 'mb-faint mb-help' }, help),
    h('div', { class: 'mb-bottom' }, ...parts.slice(3).map((part) => part.el)),
  );
  const update = () => {
    for (const part of parts) part.update();
  };
  board.watch(update);
  el.append(root);
  update();
  return () => {
    board.dispose();
  };
}

/** A new box comes after the one that is selected, as one draws a chain from left to right. */
function add(board: Board, canvas: Canvas, module: string): void {
  let box: Box | undefined;
  const before = board.selected;
  board.change((draft) => {
    box = addBox(draft, module, canvas.columns);
    const there = draft.boxes.some((each) => each.key === before);
    if (there && before !== null) connect(draft, before, box.key);
  });
  if (box) board.select(box.key);
}

export default { render };
