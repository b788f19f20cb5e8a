/** The menu of a node: kill, freeze, slow down, restart. */
import { fill, h, show } from './dom';
import type { Kernel } from './panel';
import type { Command } from './protocol';

type NodeCommand = Omit<Extract<Command, { op: 'node' }>, 'op' | 'node'>;

interface Choice {
  readonly text: string;
  readonly does: NodeCommand;
}

const CHOICES: readonly Choice[] = [
  { text: 'Freeze for 5 s', does: { action: 'freeze', seconds: 5 } },
  { text: 'Slow down ×5', does: { action: 'slow', factor: 5 } },
  { text: 'Normal speed', does: { action: 'slow', factor: 1 } },
  { text: 'Restart', does: { action: 'restart' } },
];

/** `Kill node_1? node_4 and node_7 are on the same worker and go with it.` */
export function killText(node: string, mates: readonly string[] | null, worker: string): string {
  if (mates === null) return `Kill ${node}? All nodes of ${worker || 'its worker'} go with it.`;
  if (!mates.length) return `Kill ${node}? No other node goes with it.`;
  const named = mates.slice(0, 6);
  const more = mates.length - named.length;
  const last = more ? `${more} more` : named.pop();
  const list = named.length ? `${named.join(', ')} and ${last ?? ''}` : (last ?? '');
  const one = mates.length === 1;
  return `Kill ${node}? ${list} ${one ? 'is' : 'are'} on the same worker and ${one ? 'goes' : 'go'} with it.`;
}

export interface Target {
  readonly node: string;
  readonly worker: string;
  /** nodes on the same worker; null when that is not known here */
  readonly mates: readonly string[] | null;
  /** why nothing can be done, or when it is done; "" is at once */
  readonly note: string;
  readonly disabled: boolean;
}

export class NodeMenu {
  readonly el = h('div', { class: 'mp-menu', hidden: true });
  private items: HTMLElement[] = [];
  private back: { focus(): void } | null = null;

  constructor(private readonly kernel: Kernel) {
    this.el.addEventListener('keydown', (event) => {
      this.onKey(event);
    });
    this.el.addEventListener('focusout', ({ relatedTarget }) => {
      if (!(relatedTarget instanceof Node && this.el.contains(relatedTarget))) this.close(false);
    });
  }

  /** Show it beside `anchor`; `back` gets the keyboard when it closes. */
  open(target: Target, anchor: HTMLElement, back: { focus(): void }): void {
    this.back = back;
    const entries = CHOICES.map(({ text, does }) =>
      this.item(text, target.disabled, () => {
        this.kernel.send({ op: 'node', node: target.node, ...does });
        this.close();
      }),
    );
    const kill = this.item('Kill …', target.disabled, () => {
      this.confirm(target, anchor);
    });
    kill.classList.add('mp-danger');
    this.items = [...entries, kill];
    const note = target.note && h('p', { class: 'mp-menu-note' }, target.note);
    const menu = h('div', { role: 'menu', 'aria-label': `Actions for ${target.node}` }, ...this.items);
    this.put(anchor, h('div', { class: 'mp-menu-title' }, target.node), menu, note || null);
  }

  close(refocus = true): void {
    if (this.el.hidden) return;
    show(this.el, false);
    if (refocus) this.back?.focus();
  }

  private confirm({ node, mates, worker }: Target, anchor: HTMLElement): void {
    const yes = this.button('Kill', () => {
      this.kernel.send({ op: 'node', action: 'kill', node });
      this.close();
    });
    yes.classList.add('mp-danger');
    const no = this.button('Cancel', () => {
      this.close();
    });
    this.items = [no, yes];
    const text = killText(node, mates, worker);
    const group = h('div', { role: 'group', 'aria-label': text, class: 'mp-confirm' }, no, yes);
    this.put(anchor, h('p', { class: 'mp-menu-text' }, text), group);
  }

  private put(anchor: HTMLElement, ...content: (HTMLElement | null)[]): void {
    const first = this.items.find((item) => item.getAttribute('aria-disabled') !== 'true') ?? this.items[0];
    // filling takes the focus away from what was in it, which must not close the menu
    show(this.el, false);
    fill(this.el, ...content);
    show(this.el, true);
    place(this.el, anchor);
    first?.focus({ preventScroll: true });
  }

  private item(text: string, disabled: boolean, act: () => void): HTMLElement {
    const item = this.button(text, () => {
      if (!disabled) act();
    });
    item.setAttribute('role', 'menuitem');
    item.setAttribute('tabindex', '-1');
    if (disabled) item.setAttribute('aria-disabled', 'true');
    return item;
  }

  private button(text: string, click: () => void): HTMLElement {
    return h('button', { type: 'button', class: 'mp-menu-item', on: { click } }, text);
  }

  private onKey(event: KeyboardEvent): void {
    const at = this.items.findIndex((item) => item === document.activeElement);
    const last = this.items.length - 1;
    const to: Record<string, number> = {
      ArrowDown: at >= last ? 0 : at + 1,
      ArrowUp: at <= 0 ? last : at - 1,
      Home: 0,
      End: last,
    };
    const next = to[event.key];
    if (event.key === 'Escape') this.close();
    else if (next !== undefined) this.items[next]?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** Under the anchor, above it where there is no room below, and never outside the panel. */
function place(menu: HTMLElement, anchor: HTMLElement): void {
  const frame = menu.offsetParent?.getBoundingClientRect();
  if (!frame) return;
  const at = anchor.getBoundingClientRect();
  const right = Math.max(4, Math.min(frame.right - at.right, frame.width - menu.offsetWidth - 4));
  const below = at.bottom - frame.top;
  const fits = below + menu.offsetHeight <= frame.height;
  const top = fits ? below : Math.max(0, at.top - frame.top - menu.offsetHeight);
  menu.style.right = `${right}px`;
  menu.style.top = `${top}px`;
}
