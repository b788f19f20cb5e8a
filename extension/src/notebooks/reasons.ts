/** Why something cannot be done now, as a menu says it. */
import type { Link } from '../link/link';

/** Why there is no run to stop, resume or look at. */
export function whyNoRun(notebook: boolean, link: Pick<Link, 'phase' | 'state'> | null | undefined): string {
  if (!notebook) return 'No notebook is open';
  if (!link) return 'This notebook has no kernel';
  if (link.phase === 'absent') return 'No run yet: %load_ext manta_nb';
  if (link.phase !== 'open') return 'The kernel has not answered yet';
  return link.state.runs.length ? 'No run that this kernel can reach' : 'No run yet';
}

/** Why no cell can be inserted; "" where one can. */
export function whyNoCell(notebook: boolean, readOnly: boolean): string {
  if (!notebook) return 'Open a notebook first';
  return readOnly ? 'This notebook is read-only' : '';
}
