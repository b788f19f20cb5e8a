/** The colours of a drawing, as the page resolves the style sheet's variables: a canvas knows no variables. */

export interface Palette {
  readonly text: string;
  readonly dim: string;
  readonly grid: string;
  readonly background: string;
  readonly accent: string;
  readonly warn: string;
  readonly font: string;
  /** a colour for each node that was picked, in order; they begin anew after the last */
  readonly picked: readonly string[];
}

const LIGHT = ['#b3470b', '#6b2fb3', '#00706b', '#b01e68', '#5c6b00', '#8a3b2a', '#2f3fae', '#7a5a00'];
const DARK = ['#ffa463', '#c9a2ff', '#4fd6cb', '#ff8dc0', '#c6d64a', '#e79c86', '#9fb0ff', '#e6c14f'];

/** Read the variables where `element` stands. */
export function readPalette(element: HTMLElement): Palette {
  const probe = document.createElement('span');
  probe.style.display = 'none';
  element.append(probe);
  const read = (variable: string): string => {
    probe.style.color = `var(--mm-${variable})`;
    return getComputedStyle(probe).color;
  };
  const palette = {
    text: read('text'),
    dim: read('dim'),
    grid: read('grid'),
    background: read('bg'),
    accent: read('accent'),
    warn: read('warn'),
    font: getComputedStyle(element).fontFamily,
    picked: element.closest<HTMLElement>('[data-mode]')?.dataset.mode === 'dark' ? DARK : LIGHT,
  };
  probe.remove();
  return palette;
}

export function pickedColour(palette: Palette, order: number): string {
  return palette.picked[order % palette.picked.length] ?? palette.accent;
}
