/** What the button that starts nodes says. */
import { setAttribute, setText } from '../monitor/dom';
import type { View } from './data';

/** It stays where it is while they start, so that who has the focus there keeps it. */
export function showStart(button: HTMLElement, { start, starting }: View): void {
  setText(button, starting ? 'Starting …' : start ? 'Start nodes' : 'Start nodes…');
  setAttribute(button, 'title', start ? `Runs the notebook's cell with ${start}` : null);
  setAttribute(button, 'aria-disabled', starting ? 'true' : null);
}
