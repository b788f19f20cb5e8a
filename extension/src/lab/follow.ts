/** Watches the link of the active notebook, whichever that is. */
import type { IDisposable } from '@lumino/disposable';
import type { Link } from '../link/link';
import type { IKernels } from './kernels';

/** Calls `changed` when there is another link, and when what is known of it changes. */
export function followCurrent(kernels: IKernels, changed: () => void): IDisposable {
  let link: Link | null = null;
  let unwatch: (() => void) | null = null;
  let isDisposed = false;
  const look = (): void => {
    const { current } = kernels;
    if (current !== link) {
      unwatch?.();
      link = current;
      unwatch = current?.watch(changed) ?? null;
    }
    changed();
  };
  kernels.changed.connect(look);
  look();
  return {
    get isDisposed() {
      return isDisposed;
    },
    dispose: () => {
      isDisposed = true;
      kernels.changed.disconnect(look);
      unwatch?.();
    },
  };
}
