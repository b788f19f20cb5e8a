/** The canvas: boxes that are moved, and arrows that are drawn from the dot at a box's right side. */
import { h, s, setAttribute, setText, uniqueId } from '../monitor/dom';
import type { Board } from './board';
import type { Arrow, Box } from './draft';
import type { Point } from './drawing';
import { BOX, connect, label, removeBox } from './draft';
import { arrowHead, curve, follow, out } from './drawing';

const STEPS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export class Canvas {
  readonly el: HTMLElement;
  readonly #board: Board;
  readonly #arrows: SVGGElement;
  readonly #sheet: HTMLElement;
  readonly #drawing: SVGSVGElement;
  readonly #drawn: SVGPathElement;
  readonly #empty: HTMLElement;
  readonly #boxes = new Map<string, HTMLButtonElement>();
  readonly #tip = uniqueId('tip');

  constructor(board: Board) {
    this.#board = board;
    this.#arrows = s('g');
    this.#drawn = s('path', { class: 'mb-drawn', 'marker-end': `url(#${this.#tip})` });
    this.#drawing = s(
      'svg',
      { class: 'mb-arrows', 'aria-hidden': 'true' },
      s('defs', {}, arrowHead(this.#tip)),
      this.#arrows,
      this.#drawn,
    );
    this.#empty = h(
      'p',
      { class: 'mb-empty' },
      'Add a module; then draw arrows from the dot at its right side.',
    );
    this.#sheet = h('div', { class: 'mb-sheet' }, this.#drawing, this.#empty);
    this.el = h(
      'div',
      { class: 'mb-canvas', role: 'group', 'aria-label': 'Tasks of one iteration' },
      this.#sheet,
    );
  }

  /** How many boxes fit side by side. */
  get columns(): number {
    return Math.floor((this.el.clientWidth + BOX.gap - 32) / (BOX.width + BOX.gap));
  }

  update(): void {
    const { boxes, arrows } = this.#board.draft;
    const known = new Set(boxes.map((box) => box.key));
    for (const [key, element] of this.#boxes) {
      if (known.has(key)) continue;
      element.remove();
      this.#boxes.delete(key);
    }
    for (const box of boxes) this.#place(box);
    setAttribute(this.#empty, 'hidden', boxes.length > 0);
    const right = Math.max(0, ...boxes.map((box) => box.x + BOX.width + 14));
    const bottom = Math.max(200, ...boxes.map((box) => box.y + BOX.height + 14));
    this.#sheet.style.minWidth = `${right}px`;
    this.#sheet.style.height = `${bottom}px`;
    this.#arrows.replaceChildren(...arrows.flatMap((arrow) => this.#arrow(arrow)));
  }

  focus(key: string): void {
    this.#boxes.get(key)?.focus();
  }

  #place(box: Box): void {
    const element = this.#boxes.get(box.key) ?? this.#make(box.key);
    const module = this.#board.modules.find((each) => each.name === box.module);
    const name = label(this.#board.draft, box.key);
    const where = module
      ? box.method || box.maximum || box.nodes
        ? changed(box)
        : module.placement
      : 'no such module';
    const [title, note, after] = element.children as unknown as [HTMLElement, HTMLElement, HTMLElement];
    setText(title, name);
    setText(note, where);
    setAttribute(element, 'title', `${name}: ${where}`);
    setText(after, this.#after(box));
    setAttribute(element, 'aria-pressed', this.#board.selected === box.key ? 'true' : 'false');
    element.classList.toggle('mb-unknown', !module);
    element.style.transform = `translate(${box.x}px, ${box.y}px)`;
  }

  #after(box: Box): string {
    const { draft } = this.#board;
    const before = draft.arrows.filter((arrow) => arrow.to === box.key).map((arrow) => arrow.from);
    return before.length ? `after ${before.map((key) => label(draft, key)).join(', ')}` : '';
  }

  #make(key: string): HTMLButtonElement {
    const dot = h('span', { class: 'mb-dot', 'aria-hidden': 'true', title: 'draw an arrow' });
    const element = h(
      'button',
      { class: 'mb-box', type: 'button' },
      h('span', { class: 'mb-title' }),
      h('span', { class: 'mb-note' }),
      h('span', { class: 'mb-spoken' }),
      dot,
    );
    element.addEventListener('click', () => {
      this.#board.select(key);
    });
    element.addEventListener('keydown', (event) => {
      this.#key(event, key);
    });
    element.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      element.focus();
      if (event.target === dot) this.#draw(event, element, key);
      else this.#drag(event, element, key);
    });
    this.#boxes.set(key, element);
    this.#sheet.append(element);
    return element;
  }

  #key(event: KeyboardEvent, key: string): void {
    const step = STEPS[event.key];
    if (event.key === 'Delete' || event.key === 'Backspace') {
      this.#board.change((draft) => {
        removeBox(draft, key);
      });
    } else if (step && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const far = event.shiftKey ? 40 : 8;
      this.#move(key, (box) => ({ x: box.x + step[0] * far, y: box.y + step[1] * far }));
    } else return;
    // the notebook has its own meaning for these keys
    event.preventDefault();
    event.stopPropagation();
  }

  #move(key: string, where: (box: Box) => Point): void {
    this.#board.change((draft) => {
      const box = draft.boxes.find((each) => each.key === key);
      if (!box) return;
      const at = where(box);
      const widest = Math.max(0, this.el.clientWidth - BOX.width - 2);
      box.x = Math.round(Math.min(Math.max(18, at.x), Math.max(widest, box.x)));
      box.y = Math.round(Math.min(Math.max(2, at.y), 2000));
    });
  }

  #drag(event: PointerEvent, element: HTMLElement, key: string): void {
    const box = this.#board.draft.boxes.find((each) => each.key === key);
    if (!box) return;
    const grip = { x: event.clientX - box.x, y: event.clientY - box.y };
    follow(element, event, {
      moved: ({ x, y }) => {
        this.#move(key, () => ({ x: x - grip.x, y: y - grip.y }));
      },
      ended: () => {
        this.#board.select(key);
      },
    });
  }

  #draw(event: PointerEvent, element: HTMLElement, key: string): void {
    const from = this.#board.draft.boxes.find((each) => each.key === key);
    if (!from) return;
    follow(element, event, {
      moved: (at) => {
        setAttribute(this.#drawn, 'd', curve(out(from), this.#inside(at)));
      },
      ended: (at) => {
        setAttribute(this.#drawn, 'd', null);
        const to = at && this.#boxAt(at);
        if (to) this.#board.change((draft) => connect(draft, key, to.key));
      },
    });
  }

  #boxAt(at: Point): Box | undefined {
    const { x, y } = this.#inside(at);
    return this.#board.draft.boxes.find(
      (box) => x >= box.x && x <= box.x + BOX.width && y >= box.y && y <= box.y + BOX.height,
    );
  }

  #inside(at: Point): Point {
    const frame = this.#sheet.getBoundingClientRect();
    return { x: at.x - frame.left, y: at.y - frame.top };
  }

  #arrow(arrow: Arrow): SVGElement[] {
    const [from, to] = [arrow.from, arrow.to].map((key) =>
      this.#board.draft.boxes.find((box) => box.key === key),
    );
    if (!from || !to) return [];
    const chosen = this.#board.selected === arrow.from || this.#board.selected === arrow.to;
    return [
      s('path', {
        class: chosen ? 'mb-arrow mb-chosen' : 'mb-arrow',
        d: curve(out(from), { x: to.x - 2, y: to.y + BOX.height / 2 }),
        'marker-end': `url(#${this.#tip})`,
      }),
    ];
  }
}

function changed(box: Box): string {
  const most = box.maximum ? `at most ${box.maximum}` : '';
  return [box.method, most, box.nodes].filter(Boolean).join(' · ');
}
