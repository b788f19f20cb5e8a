/** Is the page dark? Seen from its real colours, so that it is right in any front end and any theme. */

export type Mode = 'dark' | 'light';

/** Keeps `data-mode` of the element right; calls `changed` whenever colours may have changed. */
export function followTheme(element: HTMLElement, changed: () => void): () => void {
  const look = (): void => {
    element.dataset.mode = pageMode();
    changed();
  };
  const observer = new MutationObserver(look);
  for (const page of [document.documentElement, document.body]) {
    observer.observe(page, {
      attributes: true,
      attributeFilter: ['class', 'style', 'data-jp-theme-name', 'data-jp-theme-light', 'data-theme'],
    });
  }
  const preference = matchMedia('(prefers-color-scheme: dark)');
  preference.addEventListener('change', look);
  look();
  return () => {
    observer.disconnect();
    preference.removeEventListener('change', look);
  };
}

/** JupyterLab says it itself; elsewhere its colour variable, VS Code's class or the reader's preference does. */
function pageMode(): Mode {
  const { body } = document;
  const said = body.dataset.jpThemeLight;
  if (said) return said === 'false' ? 'dark' : 'light';
  const background = getComputedStyle(body).getPropertyValue('--jp-layout-color1').trim();
  const luminance = background ? luminanceOf(background) : null;
  if (luminance !== null) return luminance < 0.4 ? 'dark' : 'light';
  if (body.classList.contains('vscode-dark') || body.classList.contains('vscode-high-contrast'))
    return 'dark';
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

/** 0 is black and 1 is white; null for what is no colour. */
function luminanceOf(colour: string): number | null {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  if (!context || !CSS.supports('color', colour)) return null;
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data;
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}
