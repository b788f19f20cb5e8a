/** Tabs as the ARIA practices describe them: arrow keys, Home and End move; one tab is in the tab order. */
import { h, setAttribute, setText, show, uniqueId } from './dom';

interface Tab {
  readonly button: HTMLButtonElement;
  readonly count: HTMLElement;
  readonly panel: HTMLElement;
}

export class Tabs {
  readonly list = h('div', { class: 'mm-tabs', role: 'tablist', 'aria-label': 'Parts of the run' });
  readonly panels = h('div', { class: 'mm-panels' });
  private readonly tabs = new Map<string, Tab>();
  private current = '';

  constructor(private readonly chosen: (name: string) => void) {
    this.list.addEventListener('keydown', (event) => this.key(event));
  }

  get shown(): string {
    return this.current;
  }

  add(name: string, ...content: HTMLElement[]): void {
    const id = uniqueId('tab');
    const count = h('span', { class: 'mm-tab-count' });
    const button = h(
      'button',
      {
        class: 'mm-tab',
        id,
        type: 'button',
        role: 'tab',
        'aria-controls': `${id}-panel`,
        on: { click: () => this.show(name) },
      },
      name,
      count,
    );
    const attributes = {
      class: 'mm-panel',
      id: `${id}-panel`,
      role: 'tabpanel',
      'aria-labelledby': id,
      'data-panel': name,
    };
    const panel = h('div', attributes, ...content);
    this.tabs.set(name, { button, count, panel });
    this.list.append(button);
    this.panels.append(panel);
    if (this.tabs.size === 1) this.current = name;
    this.mark();
  }

  show(name: string): void {
    if (name === this.current || !this.tabs.has(name)) return;
    this.current = name;
    this.mark();
    this.chosen(name);
  }

  /** A small number beside a tab's name; "" for none. */
  count(name: string, text: string): void {
    const tab = this.tabs.get(name);
    if (tab) setText(tab.count, text);
  }

  private mark(): void {
    for (const [name, { button, panel }] of this.tabs) {
      const selected = name === this.current;
      setAttribute(button, 'aria-selected', String(selected));
      setAttribute(button, 'tabindex', selected ? 0 : -1);
      show(panel, selected);
    }
  }

  private key(event: KeyboardEvent): void {
    const names = [...this.tabs.keys()];
    const now = names.indexOf(this.current);
    const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: -1 }[event.key];
    const name = next === undefined ? undefined : names.at(next % names.length);
    if (name === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.show(name);
    this.tabs.get(name)?.button.focus();
  }
}
