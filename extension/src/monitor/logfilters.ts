/** The fields above the log: node, task, level and text. */
import { fill, h, show } from './dom';
import { EVERYTHING, type LogFilter } from './logbuffer';
import { MANY } from './protocol';

interface Wanted {
  node?: string;
  task?: string;
  level?: string;
  contains?: string;
}

export class LogFilters {
  readonly el: HTMLElement;
  private readonly nodes = picker('node');
  /** for more nodes than a list may hold */
  private readonly nodeField = field('node', 'node');
  private readonly tasks = picker('task');
  private readonly levels = picker('level');
  private readonly text = field('text', 'text');
  private filter = EVERYTHING;

  constructor(changed: (filter: LogFilter) => void) {
    const fields = [this.nodes, this.nodeField, this.tasks, this.levels, this.text];
    this.el = h('div', { class: 'mp-fields' }, ...fields);
    this.el.addEventListener('input', () => {
      const node = this.nodes.hidden ? this.nodeField.value.trim() : this.nodes.value;
      this.filter = { node, task: this.tasks.value, level: this.levels.value, text: this.text.value };
      changed(this.filter);
    });
  }

  get active(): boolean {
    return Object.values(this.filter).some(Boolean);
  }

  /** What can be chosen now. */
  offer(nodes: readonly string[], tasks: readonly string[], levels: readonly string[]): void {
    const many = nodes.length > MANY;
    show(this.nodes, !many);
    show(this.nodeField, many);
    if (!many) options(this.nodes, 'all nodes', nodes);
    options(this.tasks, 'all tasks', tasks);
    options(this.levels, 'all levels', levels);
  }

  /** The filters as the command `logs` takes them. */
  wanted(): Wanted {
    const { node, task, level, text } = this.filter;
    return {
      ...(node && { node }),
      ...(task && { task }),
      ...(level && { level }),
      ...(text && { contains: text }),
    };
  }
}

function picker(what: string): HTMLSelectElement {
  return h('select', { class: 'mp-input', 'aria-label': `Lines of which ${what}` });
}

function field(what: string, placeholder: string): HTMLInputElement {
  return h('input', {
    type: 'search',
    class: 'mp-input',
    'aria-label': `Lines with this ${what}`,
    placeholder,
  });
}

/** The list is made anew only when it differs, and the choice stays. */
function options(select: HTMLSelectElement, all: string, values: readonly string[]): void {
  const wanted = ['', ...values];
  const now = [...select.options].map(({ value }) => value);
  if (now.length === wanted.length && now.every((value, at) => value === wanted[at])) return;
  const chosen = select.value;
  const kept = chosen && !wanted.includes(chosen) ? [...wanted, chosen] : wanted;
  fill(select, ...kept.map((value) => h('option', { value }, value || all)));
  select.value = chosen;
}
