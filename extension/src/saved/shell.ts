/** One saved run on the page: at once in words, and drawn as soon as it is near and the viewer is here. */
import { addStyle } from '../styles';
import { facts, heightOf, plainText } from './plain';
import style from './shell.css';
import type { Drawn } from './viewer';

type Viewer = typeof import('./viewer');

const UNREACHABLE = 'The viewer of saved runs could not be loaded: reload the page. This is the run as text.';
const BROKEN = 'This run cannot be drawn; this is what can be read of it.';

/** How far below what is seen a run is drawn; further down a notebook may have a hundred of them. */
const AHEAD = '1000px';

export class SavedRun {
  private drawn: Drawn | undefined;
  private shell: HTMLElement | undefined;
  private data: unknown;
  /** the run that is shown, written out: each time that JupyterLab gives it, it is a copy */
  private known: string | undefined;
  private leave: () => void = () => undefined;
  /** counts what is shown: what was begun for another run is dropped */
  private turn = 0;

  constructor(
    private readonly place: HTMLElement,
    private readonly load: () => Promise<Viewer>,
  ) {
    addStyle('saved-shell', style);
  }

  /** Show this run; never throws, whatever it is. */
  show(data: unknown): void {
    const told = JSON.stringify(data) ?? '';
    // JupyterLab shows an output again when nothing but its trust has changed
    if (told === this.known) return;
    this.clear();
    this.known = told;
    this.data = data;
    this.shell = this.words();
    this.reserve();
    const mine = this.turn;
    const near = new Promise<void>((resolve) => (this.leave = whenNear(this.place, resolve)));
    Promise.all([this.load(), near]).then(
      ([viewer]) => {
        if (mine === this.turn) this.draw(viewer);
      },
      () => {
        if (mine === this.turn) this.say(UNREACHABLE);
      },
    );
  }

  /** It has come into sight. */
  refresh(): void {
    if (this.shell) this.reserve();
    this.drawn?.refresh();
  }

  dispose(): void {
    this.clear();
  }

  private clear(): void {
    this.turn += 1;
    this.leave();
    this.drawn?.dispose();
    this.drawn = this.shell = this.known = undefined;
    this.place.replaceChildren();
  }

  private draw({ draw }: Viewer): void {
    let drawn: Drawn | string = BROKEN;
    try {
      drawn = draw(this.data);
    } catch (error) {
      console.warn('manta-nb: a saved run cannot be drawn', error);
    }
    if (typeof drawn === 'string') {
      this.say(drawn);
      return;
    }
    this.drawn = drawn;
    // it takes its place when all of it is there: nothing below shall jump more than once
    drawn.el.classList.add('manta-saved-behind');
    this.place.append(drawn.el);
    const mine = this.turn;
    requestAnimationFrame(() => {
      requestAnimationFrame(() => {
        if (mine !== this.turn) return;
        this.shell?.remove();
        this.shell = undefined;
        drawn.el.classList.remove('manta-saved-behind');
      });
    });
  }

  /** One line that says why it is not drawn, and all that can be read. */
  private say(why: string): void {
    const shell = this.words();
    this.shell = undefined;
    shell.append(element('div', 'manta-saved-why', why));
    const text = plainText(this.data);
    if (!text) return;
    const pre = element('pre', 'manta-saved-text', text);
    pre.tabIndex = 0;
    shell.append(pre);
  }

  /** Name, status and iterations. */
  private words(): HTMLElement {
    const { name, how } = facts(this.data);
    const shell = element('section', 'manta-saved-shell', '');
    shell.append(element('div', 'manta-saved-name', name));
    if (how) shell.append(element('div', 'manta-saved-how', how));
    this.place.replaceChildren(shell);
    return shell;
  }

  /** Take the room that it will take when it is drawn. */
  private reserve(): void {
    if (this.shell) this.shell.style.minHeight = `${heightOf(this.data, this.place.clientWidth || 900)}px`;
  }
}

/** Calls back once the element is seen, or nearly; returns how to stop waiting. */
function whenNear(seen: HTMLElement, act: () => void): () => void {
  // `scrollMargin` is for what scrolls inside of the page, as notebooks do; where it is unknown, it is left out
  const options = { rootMargin: AHEAD, scrollMargin: AHEAD };
  const watcher = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    watcher.disconnect();
    act();
  }, options);
  watcher.observe(seen);
  return () => watcher.disconnect();
}

function element(tag: string, kind: string, text: string): HTMLElement {
  const made = document.createElement(tag);
  made.className = kind;
  made.textContent = text;
  return made;
}
