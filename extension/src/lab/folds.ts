/** What is folded away in the sidebar. */
import type { Folds } from '../panel/data';

/** Kept in the browser; a browser that keeps nothing shows all. */
export function folds(): Folds {
  const key = (name: string): string => `manta-nb:folded:${name}`;
  return {
    isOpen: (name) => {
      try {
        return localStorage.getItem(key(name)) !== 'yes';
      } catch {
        return true;
      }
    },
    keep: (name, open) => {
      try {
        if (open) localStorage.removeItem(key(name));
        else localStorage.setItem(key(name), 'yes');
      } catch {
        // it is folded as long as the page lives
      }
    },
  };
}
