/** Small drawings for buttons: 16 × 16, in the colour of the text. */
import { h, s } from '../monitor/dom';

const PATHS = {
  chevron: 'M6 4l4 4-4 4',
  stop: 'M4.5 4.5h7v7h-7z',
  resume: 'M5.5 3.8v8.4l6.6-4.2z',
  monitor: 'M2.5 2.5v11h11M4.8 10.5l2.6-3.4 2.2 1.9 3.6-4.6',
  copy: 'M6 5.5h6.5v8H6zM3.5 10.5v-8H10',
  insert: 'M2.5 3h11v4.5h-11zM8 9.5v4.5M5.8 11.8h4.4',
  plus: 'M8 3v10M3 8h10',
} as const;

export type Drawing = keyof typeof PATHS;

export function icon(name: Drawing): SVGElement {
  const filled = name === 'stop' || name === 'resume';
  return s(
    'svg',
    {
      class: filled ? 'ms-icon ms-icon-filled' : 'ms-icon',
      viewBox: '0 0 16 16',
      'aria-hidden': 'true',
      focusable: 'false',
    },
    s('path', { d: PATHS[name] }),
  );
}

/** A button that is a drawing; `label` is what it is called and its tooltip. */
export function iconButton(name: Drawing, label: string, act: () => void): HTMLButtonElement {
  return h(
    'button',
    {
      type: 'button',
      class: 'ms-icon-button',
      title: label,
      'aria-label': label,
      on: {
        click: (event) => {
          event.stopPropagation();
          act();
        },
      },
    },
    icon(name),
  );
}
