/** Elements from data: whatever comes from outside becomes a text node or an attribute, never markup. */

export type Child = Node | string | number | null | undefined | false;

type Listeners = {
  [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void;
};

export interface Attributes {
  class?: string | false | null;
  /** custom properties as well: `{'--share': '40%'}` */
  style?: Record<string, string>;
  on?: Listeners;
  /** true sets an empty attribute; false, null and undefined leave it out */
  [attribute: string]: string | number | boolean | null | undefined | Listeners | Record<string, string>;
}

const SVG = 'http://www.w3.org/2000/svg';

/** `h('button', {class: 'm-button', 'aria-label': 'Stop', on: {click}}, 'Stop')` */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return dressed(document.createElement(tag), attributes, children);
}

/** The same for a drawing: `s('rect', {x: 0, y: 0, width: 10, height: 4})`. */
export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return dressed(document.createElementNS(SVG, tag), attributes, children);
}

/** Set an element's text, only when it differs: an unchanged screen costs no layout. */
export function setText(element: Element, text: string | number): void {
  const wanted = String(text);
  if (element.textContent !== wanted) element.textContent = wanted;
}

/** Set or (null, false) remove an attribute, only when it differs. */
export function setAttribute(
  element: Element,
  name: string,
  value: string | number | boolean | null | undefined,
): void {
  if (value === null || value === undefined || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
    return;
  }
  const wanted = value === true ? '' : String(value);
  if (element.getAttribute(name) !== wanted) element.setAttribute(name, wanted);
}

/** Replace what is inside. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren(...nodes(children));
}

/** Show or hide without taking it out. */
export function show(element: HTMLElement | SVGElement, shown: boolean): void {
  setAttribute(element, 'hidden', !shown);
}

/** An id that no other element of the page has, for aria-controls and the like. */
export function uniqueId(stem: string): string {
  return `manta-${stem}-${Math.random().toString(36).slice(2, 10)}`;
}

function dressed<E extends HTMLElement | SVGElement>(
  element: E,
  attributes: Attributes,
  children: Child[],
): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'on') listen(element, value as Listeners);
    else if (name === 'style') paint(element, value as Record<string, string>);
    else setAttribute(element, name, value as string | number | boolean | null | undefined);
  }
  element.append(...nodes(children));
  return element;
}

function listen(element: Element, listeners: Listeners): void {
  for (const [kind, listener] of Object.entries(listeners)) {
    element.addEventListener(kind, listener as EventListener);
  }
}

function paint(element: HTMLElement | SVGElement, style: Record<string, string>): void {
  for (const [property, value] of Object.entries(style)) element.style.setProperty(property, value);
}

function nodes(children: Child[]): (Node | string)[] {
  return children
    .filter(
      (child): child is Node | string | number => child !== null && child !== undefined && child !== false,
    )
    .map((child) => (typeof child === 'number' ? String(child) : child));
}
