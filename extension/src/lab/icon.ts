/** The drawings, as JupyterLab's icons are. */
import { LabIcon } from '@jupyterlab/ui-components';

/** From above. */
const RAY =
  'M9.3 1.5C8.2 2.3 7.9 4.2 8.8 5.6C5.9 6.9 2.6 9.3.4 13.3C3.9 12.6 6.7 13.5 8.5 15.2C9.5 16.2 10.6 17.4 11.2 18.1' +
  'L11.7 23.5H12.3L12.8 18.1C13.4 17.4 14.5 16.2 15.5 15.2C17.3 13.5 20.1 12.6 23.6 13.3C21.4 9.3 18.1 6.9 15.2 5.6' +
  'C16.1 4.2 15.8 2.3 14.7 1.5C14.7 2.9 13.6 3.8 12 3.8C10.4 3.8 9.3 2.9 9.3 1.5Z';

/** Two pages, on the pages' fold. */
const BOOK =
  'M11.2 6.2C9 4.6 5.8 4 2 4V18.6C5.8 18.6 9 19.2 11.2 20.8ZM12.8 6.2C15 4.6 18.2 4 22 4V18.6C18.2 18.6 15 19.2 12.8 20.8Z';

/** One in the middle, and three that it is joined to. */
const NODES =
  'M12 1.5A3 3 0 0 1 12.8 7.4V9.3A3 3 0 0 1 14.7 12.6L17.2 15.2A3 3 0 1 1 16.1 16.3L13.6 13.7A3 3 0 0 1 10.4 13.7L7.9 16.3' +
  'A3 3 0 1 1 6.8 15.2L9.3 12.6A3 3 0 0 1 11.2 9.3V7.4A3 3 0 0 1 12 1.5Z';

const svg = (path: string, classes: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="${classes} jp-icon-selectable" fill="#616161" d="${path}"/></svg>`;

/** For tabs, menus and lists: grey, where the others are. */
export const mantaIcon = new LabIcon({ name: 'manta-nb:manta', svgstr: svg(RAY, 'jp-icon3') });

const onCard = (name: string, path: string): LabIcon =>
  new LabIcon({ name: `manta-nb:${name}-card`, svgstr: svg(path, 'jp-icon-brand1') });

/** For the cards of the launcher: in Lab's own colour. */
export const mantaCardIcon = onCard('manta', RAY);
export const courseCardIcon = onCard('course', BOOK);
export const nodesCardIcon = onCard('nodes', NODES);
