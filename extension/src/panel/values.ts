/** Globals and Results of the chosen run: a row for each tag, which opens to show the value. */
import { fill, h, setAttribute, setText, show, uniqueId } from '../monitor/dom';
import { bytes, integer } from '../monitor/format';
import type { GlobalRow, ResultRow } from '../protocol';
import type { Actions, Folds, View, Wanted } from './data';
import { Filter } from './filter';
import { icon } from './icons';
import { KeyedList, type Row } from './keyed';
import { Preview } from './preview';
import { Section } from './section';

/** A Global or a Result; `nodes` is null for a Global. */
interface Item {
  readonly run: string;
  readonly row: GlobalRow | ResultRow;
  readonly nodes: readonly string[] | null;
  readonly total: number;
}

class ValueItem implements Row<Item> {
  readonly el: HTMLElement;
  private readonly tag = h('span', { class: 'ms-tag' });
  private readonly type = h('span', { class: 'ms-type' });
  private readonly size = h('span', { class: 'ms-size' });
  private readonly when = h('p', { class: 'ms-faint' });
  private readonly nodes = h('input', { class: 'ms-input ms-node-choice', 'aria-label': 'Of which node' });
  private readonly names = h('datalist', { id: uniqueId('nodes') });
  private readonly choice: HTMLElement;
  private readonly preview: Preview;
  private readonly button: HTMLButtonElement;
  private item: Item | null = null;
  private open = false;

  constructor(actions: Actions) {
    const id = uniqueId('value');
    this.nodes.setAttribute('list', this.names.id);
    this.nodes.addEventListener('change', () => this.look());
    this.nodes.addEventListener('focus', () => this.nodes.select());
    this.choice = h('label', { class: 'ms-choice' }, 'of', this.nodes, this.names);
    this.preview = new Preview(
      actions,
      () => this.look(),
      h('div', { class: 'ms-facts-line' }, this.when, this.choice),
    );
    this.preview.el.id = id;
    this.button = h(
      'button',
      {
        type: 'button',
        class: 'ms-value-row',
        'aria-controls': id,
        'aria-expanded': 'false',
        on: { click: () => this.turn() },
      },
      icon('chevron'),
      this.tag,
      this.type,
      this.size,
    );
    show(this.preview.el, false);
    this.el = h('li', { class: 'ms-value-item' }, this.button, this.preview.el);
  }

  update(item: Item): void {
    const before = this.item;
    this.item = item;
    const { row, nodes, total } = item;
    setText(this.tag, row.tag);
    setText(this.type, row.type);
    setText(this.size, bytes(row.nbytes));
    setAttribute(this.button, 'title', `${row.tag}: ${row.type}, ${bytes(row.nbytes)}`);
    // the numbers below stay those that were looked at
    if (!this.open || before?.run !== item.run) setText(this.when, whenOf(row, nodes === null));
    this.preview.say(row.code);
    show(this.choice, nodes !== null);
    if (nodes) this.offer(nodes, total);
    if (this.open && before && before.run === item.run && before.row.iteration !== row.iteration)
      this.preview.outdate();
  }

  private offer(nodes: readonly string[], total: number): void {
    const now = [...this.names.children].map((option) => option.getAttribute('value'));
    if (now.length !== nodes.length || now.some((name, at) => name !== nodes[at]))
      fill(this.names, ...nodes.map((value) => h('option', { value })));
    if (!this.nodes.value) this.nodes.value = nodes[0] ?? '';
    setAttribute(this.nodes, 'title', total > nodes.length ? `One of ${integer(total)} nodes` : null);
  }

  private turn(): void {
    this.open = !this.open;
    setAttribute(this.button, 'aria-expanded', String(this.open));
    show(this.preview.el, this.open);
    if (this.open) this.look();
  }

  private look(): void {
    if (!this.item) return;
    const { run, row, nodes } = this.item;
    setText(this.when, whenOf(row, nodes === null));
    const node = this.nodes.value.trim();
    const wanted: Wanted = { kind: nodes ? 'result' : 'global', run, tag: row.tag };
    this.preview.ask(nodes && node ? { ...wanted, node } : wanted);
  }
}

function whenOf({ iteration }: GlobalRow | ResultRow, isGlobal: boolean): string {
  if (iteration === null) return 'as at the start';
  return `${isGlobal ? 'changed in iteration' : 'iteration'} ${integer(iteration)}`;
}

/** A part with a row a value. */
class ValuesPart {
  readonly el: HTMLElement;
  private readonly section: Section;
  private readonly filter: Filter;
  private readonly list: KeyedList<Item>;
  private readonly note = h('p', { class: 'ms-empty' });
  private view: View | null = null;

  constructor(
    name: string,
    private readonly empty: string,
    private readonly items: (view: View) => Item[],
    actions: Actions,
    folds: Folds,
  ) {
    this.section = new Section(name, folds);
    this.filter = new Filter(`Filter ${name}`, () => this.draw());
    this.list = new KeyedList<Item>(
      name,
      ({ run, row }) => `${run} ${row.tag}`,
      () => new ValueItem(actions),
    );
    this.section.body.append(this.filter.el, this.list.el, this.note);
    this.el = this.section.el;
  }

  update(view: View): void {
    this.view = view;
    this.draw();
  }

  private draw(): void {
    if (!this.view) return;
    const { chosen } = this.view.known;
    const items = this.items(this.view);
    show(this.el, chosen !== null);
    this.section.label(items.length ? integer(items.length) : '', chosen ? `of ${chosen.name}` : '');
    this.list.put(this.filter.of(items, ({ row }) => `${row.tag} ${row.type}`));
    const note = chosen?.note || (items.length ? '' : this.empty);
    setText(this.note, note);
    show(this.note, note !== '');
  }
}

export function globalsPart(actions: Actions, folds: Folds): ValuesPart {
  const items = ({ known: { chosen } }: View): Item[] =>
    (chosen?.globals ?? []).map((row) => ({ run: chosen?.run_id ?? '', row, nodes: null, total: 0 }));
  return new ValuesPart('Globals', 'None: set_global("name", value) makes one.', items, actions, folds);
}

export function resultsPart(actions: Actions, folds: Folds): ValuesPart {
  const items = ({ known: { chosen } }: View): Item[] =>
    (chosen?.results ?? []).map((row) => ({
      run: chosen?.run_id ?? '',
      row,
      nodes: Array.isArray(row.nodes) ? row.nodes : [],
      total: row.total,
    }));
  return new ValuesPart(
    'Results',
    'None: they come with the iterations that are committed.',
    items,
    actions,
    folds,
  );
}
