/** Labelled fields; a field that is being typed into is not written over. */
import { h, uniqueId } from '../monitor/dom';

export interface Field {
  readonly el: HTMLElement;
  set(value: string): void;
}

export interface FieldOptions {
  label: string;
  placeholder?: string;
  value?: string;
  class?: string;
  changed: (value: string) => void;
}

export function textField({ label, placeholder, value, class: kind, changed }: FieldOptions): Field {
  const id = uniqueId('field');
  const input = h('input', { id, type: 'text', placeholder, autocomplete: 'off', spellcheck: 'false' });
  input.value = value ?? '';
  input.addEventListener('input', () => {
    changed(input.value);
  });
  keepKeys(input);
  return {
    el: h('div', { class: `mb-field ${kind ?? ''}` }, h('label', { for: id }, label), input),
    set: (text) => {
      if (!focused(input)) input.value = text;
    },
  };
}

export interface Choice {
  value: string;
  label: string;
}

/** A list to choose from; `reset` goes back to its first line after each choice, as a menu does. */
export function choiceField(
  { label, value, changed }: FieldOptions,
  choices: Choice[],
  reset = false,
): Field {
  const id = uniqueId('field');
  const select = h(
    'select',
    { id },
    ...choices.map((each) => h('option', { value: each.value }, each.label)),
  );
  select.value = value ?? '';
  select.addEventListener('change', () => {
    const chosen = select.value;
    if (reset) select.value = '';
    changed(chosen);
  });
  keepKeys(select);
  return {
    el: h('div', { class: 'mb-field' }, h('label', { for: id }, label), select),
    set: (text) => {
      select.value = text;
    },
  };
}

export function button(text: string, clicked: () => void, options: { class?: string; label?: string } = {}) {
  const kind = `mb-button ${options.class ?? ''}`;
  return h(
    'button',
    { type: 'button', class: kind, 'aria-label': options.label, on: { click: clicked } },
    text,
  );
}

/** A notebook takes letters for commands where nobody else takes them. */
function keepKeys(element: HTMLElement): void {
  element.addEventListener('keydown', (event) => {
    event.stopPropagation();
  });
}

function focused(element: Element): boolean {
  return (element.getRootNode() as Document | ShadowRoot).activeElement === element;
}
