/** A button that opens a small menu; arrow keys, Escape and a click beside it work as anywhere. */
import { fill, h, setAttribute, show } from './dom';

export interface MenuItem {
  readonly label: string;
  /** given for an item that is on or off */
  readonly checked?: boolean;
  readonly disabled?: boolean;
  act(): void;
}

/** `items` is asked each time the menu opens. */
export function menuButton(label: string, title: string, items: () => MenuItem[]): HTMLElement {
  const list = h('div', { class: 'mm-menu', role: 'menu', 'aria-label': title });
  const button = h(
    'button',
    {
      class: 'mm-icon-button',
      type: 'button',
      title,
      'aria-label': title,
      'aria-haspopup': 'menu',
      'aria-expanded': 'false',
    },
    label,
  );
  const root = h('div', { class: 'mm-menu-root' }, button, list);
  const open = (): boolean => !list.hidden;
  const toggle = (shown: boolean): void => {
    show(list, shown);
    setAttribute(button, 'aria-expanded', String(shown));
    if (!shown) return;
    fill(list, ...items().map((item) => menuItem(item, () => toggle(false), button)));
    list.querySelector<HTMLElement>('button:not([disabled])')?.focus();
  };
  show(list, false);
  button.addEventListener('click', () => toggle(!open()));
  root.addEventListener('keydown', (event) => {
    if (!open()) return;
    if (event.key === 'Escape') {
      toggle(false);
      button.focus();
    } else if (!move(list, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  root.addEventListener('focusout', (event) => {
    if (!root.contains(event.relatedTarget as Node | null)) toggle(false);
  });
  return root;
}

function menuItem(item: MenuItem, close: () => void, button: HTMLElement): HTMLElement {
  const act = (): void => {
    close();
    button.focus();
    item.act();
  };
  const attributes =
    item.checked === undefined
      ? { role: 'menuitem' }
      : { role: 'menuitemcheckbox', 'aria-checked': String(item.checked) };
  return h(
    'button',
    {
      ...attributes,
      class: 'mm-menu-item',
      type: 'button',
      tabindex: -1,
      disabled: item.disabled,
      on: { click: act },
    },
    h('span', { class: 'mm-menu-tick', 'aria-hidden': 'true' }, item.checked ? '✓' : ''),
    item.label,
  );
}

/** Move the focus in the list; false for a key that does not. */
function move(list: HTMLElement, key: string): boolean {
  const items = [...list.querySelectorAll<HTMLElement>('button:not([disabled])')];
  const now = items.indexOf(list.ownerDocument.activeElement as HTMLElement);
  const next = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: -1 }[key];
  if (next === undefined) return false;
  items.at(next % items.length)?.focus();
  return true;
}
