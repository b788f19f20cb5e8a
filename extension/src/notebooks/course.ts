/** The course as its list on the server says, and what is said of a copy of it. */
import type { Copied } from './files';

/** The names of a list that are names of notebooks, and nothing that leads elsewhere. */
export function courseNames(list: unknown): string[] {
  const names = Array.isArray(list) ? list.filter((each): each is string => typeof each === 'string') : [];
  const good = names.filter((name) => /^[\w][\w.-]*\.ipynb$/.test(name));
  if (!good.length)
    throw new Error('it is not part of this installation: pip install --force-reinstall manta-nb');
  return good;
}

/** `3 notebooks copied to manta-course`, and which there were. */
export function copiedText({ folder, copied, kept }: Copied): string {
  const name = folder.slice(folder.lastIndexOf('/') + 1);
  if (!copied.length) return `The course is in ${name} already: nothing was changed`;
  const many = kept.length > 2 ? `${kept.length} that were there` : kept.join(' and ');
  const more = kept.length ? `; kept ${many}` : '';
  return `${copied.length} notebook${copied.length === 1 ? '' : 's'} of the course copied to ${name}${more}`;
}
