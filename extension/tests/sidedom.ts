/**
 * As much of a document as the sidebar's components use, so that what they draw can be looked at without a browser.
 * Text is kept as text: markup in it would show as an element that nobody made.
 */

class FakeNode {
  parent: FakeElement | null = null;
  remove(): void {
    this.parent?.detach(this);
  }
}

class FakeText extends FakeNode {
  constructor(public textContent: string) {
    super();
  }
}

class FakeStyle {
  readonly values = new Map<string, string>();
  setProperty(name: string, value: string): void {
    this.values.set(name, value);
  }
}

class FakeClasses {
  constructor(private readonly element: FakeElement) {}
  contains(name: string): boolean {
    return this.names().includes(name);
  }
  toggle(name: string, on: boolean): void {
    const others = this.names().filter((each) => each !== name);
    this.element.setAttribute('class', [...others, ...(on ? [name] : [])].join(' '));
  }
  private names(): string[] {
    return (this.element.getAttribute('class') ?? '').split(' ').filter(Boolean);
  }
}

interface Happening {
  readonly target: FakeElement;
  stopPropagation(): void;
}

export class FakeElement extends FakeNode {
  nodes: (FakeElement | FakeText)[] = [];
  readonly style = new FakeStyle();
  readonly classList = new FakeClasses(this);
  readonly dataset: Record<string, string> = {};
  readonly ownerDocument = page;
  value = '';
  private readonly attributes = new Map<string, string>();
  private readonly listeners = new Map<string, ((event: Happening) => void)[]>();

  constructor(readonly tag: string) {
    super();
  }

  get children(): FakeElement[] {
    return this.nodes.filter((node) => node instanceof FakeElement);
  }
  get firstElementChild(): FakeElement | null {
    return this.children[0] ?? null;
  }
  get childElementCount(): number {
    return this.children.length;
  }
  get nextElementSibling(): FakeElement | null {
    const beside = this.parent?.children ?? [];
    return beside[beside.indexOf(this) + 1] ?? null;
  }
  get textContent(): string {
    return this.nodes.map((node) => node.textContent).join('');
  }
  set textContent(text: string) {
    this.replaceChildren(text);
  }
  get hidden(): boolean {
    return this.hasAttribute('hidden');
  }
  get id(): string {
    return this.getAttribute('id') ?? '';
  }
  set id(id: string) {
    this.setAttribute('id', id);
  }
  set title(text: string) {
    this.setAttribute('title', text);
  }

  getAttribute(name: string): string | null {
    return this.attributes.get(name) ?? null;
  }
  hasAttribute(name: string): boolean {
    return this.attributes.has(name);
  }
  setAttribute(name: string, value: string): void {
    this.attributes.set(name, value);
  }
  removeAttribute(name: string): void {
    this.attributes.delete(name);
  }

  append(...children: (FakeElement | string)[]): void {
    for (const child of children) this.insertBefore(child, null);
  }
  replaceChildren(...children: (FakeElement | string)[]): void {
    for (const node of [...this.nodes]) node.remove();
    this.append(...children);
  }
  insertBefore(child: FakeElement | string, before: FakeElement | null): void {
    const node = typeof child === 'string' ? new FakeText(child) : child;
    // taking an element out of the page takes the focus from it
    if (node instanceof FakeElement && page.activeElement && node.contains(page.activeElement))
      page.activeElement = null;
    node.remove();
    node.parent = this;
    const at = before ? this.nodes.indexOf(before) : this.nodes.length;
    this.nodes.splice(at, 0, node);
  }
  detach(node: FakeNode): void {
    this.nodes = this.nodes.filter((each) => each !== node);
    node.parent = null;
  }
  contains(other: FakeElement | null): boolean {
    for (let each = other; each; each = each.parent) if (each === this) return true;
    return false;
  }

  addEventListener(kind: string, listener: (event: Happening) => void): void {
    this.listeners.set(kind, [...(this.listeners.get(kind) ?? []), listener]);
  }
  /** Something happens here, and to all around it. */
  happens(kind: string): void {
    let stopped = false;
    const event = { target: this, stopPropagation: () => (stopped = true) };
    for (const each of around(this))
      if (!stopped) for (const listener of each.listeners.get(kind) ?? []) listener(event);
  }
  focus(): void {
    page.activeElement = this;
  }
  select(): void {
    // nothing to see
  }

  /** This and all within it that a person sees. */
  *seen(): Generator<FakeElement> {
    if (this.hidden) return;
    yield this;
    for (const child of this.children) yield* child.seen();
  }
}

/** An element and all that it is in. */
function around(element: FakeElement): FakeElement[] {
  return element.parent ? [element, ...around(element.parent)] : [element];
}

const page: { activeElement: FakeElement | null } = { activeElement: null };

/** Make `document` and the like global; call it before anything is drawn. */
export function pretend(): typeof page {
  const frames: (() => void)[] = [];
  Object.assign(globalThis, {
    document: {
      createElement: (tag: string) => new FakeElement(tag),
      createElementNS: (_: string, tag: string) => new FakeElement(tag),
      documentElement: new FakeElement('html'),
      body: Object.assign(new FakeElement('body'), { dataset: { jpThemeLight: 'true' } }),
    },
    MutationObserver: class {
      observe(): void {
        // nothing changes
      }
      disconnect(): void {
        // nothing did
      }
    },
    matchMedia: () => ({ matches: false, addEventListener: () => 0, removeEventListener: () => 0 }),
    requestAnimationFrame: (draw: () => void) => frames.push(draw),
    cancelAnimationFrame: () => frames.splice(0),
  });
  nextFrame = () => {
    const due = frames.splice(0);
    for (const draw of due) draw();
    return due.length;
  };
  return page;
}

/** Draw what waits for the next frame; how many wanted to. */
export let nextFrame = (): number => 0;

/** An element of a component, to be looked at. */
export function fake(el: unknown): FakeElement {
  return el as FakeElement;
}

/** The seen elements of a class, or of a tag. */
export function all(root: unknown, name: string): FakeElement[] {
  return [...fake(root).seen()].filter((each) => each.tag === name || each.classList.contains(name));
}

export function one(root: unknown, name: string): FakeElement {
  const [found] = all(root, name);
  if (!found) throw new Error(`nothing to be seen of ${name}`);
  return found;
}

/** The seen button of that name. */
export function button(root: unknown, name: string): FakeElement {
  const found = all(root, 'button').find(
    (each) => (each.getAttribute('aria-label') ?? each.textContent.trim()) === name,
  );
  if (!found) throw new Error(`no button ${name}`);
  return found;
}
