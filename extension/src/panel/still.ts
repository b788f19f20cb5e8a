/** A picture of what an element shows now: it stays when what drew it is gone. */

/** A copy that reacts to nothing; a canvas's copy would be empty, so it is drawn over. */
export function stillOf(element: HTMLElement): HTMLElement {
  const still = element.cloneNode(true) as HTMLElement;
  const copies = [...still.querySelectorAll('canvas')];
  [...element.querySelectorAll('canvas')].forEach((canvas, at) => {
    if (canvas.width && canvas.height) copies[at]?.getContext('2d')?.drawImage(canvas, 0, 0);
  });
  still.removeAttribute('id');
  still.inert = true;
  return still;
}
