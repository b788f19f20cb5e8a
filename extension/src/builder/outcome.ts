/** The cell that the drawing means, what keeps it from running, and the buttons. */
import { fill, h, setAttribute, setText } from '../monitor/dom';
import type { Board } from './board';
import { button } from './fields';

/** A notebook extension that can insert cells cancels this event; else the kernel does what it can. */
const INSERT = 'manta-nb-insert-cell';

export class Outcome {
  readonly el: HTMLElement;
  readonly #board: Board;
  readonly #text = h('pre', { class: 'mb-text', tabindex: 0, 'aria-label': 'The cell' });
  readonly #problems = h('ul', { class: 'mb-problems' });
  readonly #said = h('p', { class: 'mb-said', role: 'status' });
  readonly #run: HTMLButtonElement;
  readonly #insert: HTMLButtonElement;

  constructor(board: Board) {
    this.#board = board;
    this.#run = button(
      'Run',
      () => {
        this.#ask('run', 'starting …');
      },
      { class: 'mb-primary' },
    );
    this.#insert = button('Insert as cell', () => {
      this.#put();
    });
    const copy = button('Copy', () => void this.#copy(), { label: 'Copy the cell' });
    this.el = h(
      'section',
      { class: 'mb-outcome', 'aria-label': 'The cell and what to do with it' },
      this.#text,
      this.#problems,
      h('div', { class: 'mb-line' }, this.#run, this.#insert, copy),
      this.#said,
    );
  }

  update(): void {
    const { text, problems, said } = this.#board;
    setText(this.#text, text);
    fill(this.#problems, ...problems.map((line) => h('li', {}, line)));
    setAttribute(this.#problems, 'hidden', problems.length === 0);
    for (const each of [this.#run, this.#insert]) {
      setAttribute(each, 'aria-disabled', problems.length ? 'true' : null);
    }
    setText(this.#said, said.text);
    this.#said.classList.toggle('mb-refused', !said.ok);
  }

  #ask(op: 'run' | 'insert', said: string): void {
    const [problem] = this.#board.problems;
    if (problem !== undefined) {
      this.#board.say(problem, false);
      return;
    }
    this.#board.say(said);
    this.#board.ask(op);
  }

  #put(): void {
    const event = new CustomEvent(INSERT, {
      bubbles: true,
      cancelable: true,
      composed: true,
      detail: { text: this.#board.text },
    });
    if (this.#board.problems.length || this.el.dispatchEvent(event))
      this.#ask('insert', 'asking the kernel …');
    else this.#board.say('the cell is in the notebook');
  }

  async #copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.#board.text);
      this.#board.say('the cell is on the clipboard');
    } catch {
      this.#board.say('this page may not use the clipboard: select the text and copy it', false);
    }
  }
}
