/** Style sheets of this extension: esbuild gives them as text. */

/** Add a style sheet to the page, once however often it is asked for. */
export function addStyle(name: string, text: string): void {
  const id = `manta-nb-style-${name}`;
  if (document.getElementById(id)) return;
  const style = document.createElement('style');
  style.id = id;
  style.textContent = text;
  document.head.append(style);
}
