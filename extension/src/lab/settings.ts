/** What a person sets in JupyterLab's settings: the token, and the plugin that reads it. */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Token } from '@lumino/coreutils';
import { Signal, type ISignal } from '@lumino/signaling';
import { DEFAULTS, readSettings, type Settings } from '../notebooks/options';

export type { Settings };

export interface IMantaSettings {
  readonly all: Settings;
  /** Emits when at least one of them is another. */
  readonly changed: ISignal<IMantaSettings, Settings>;
}

export const IMantaSettings = new Token<IMantaSettings>(
  'manta-nb:IMantaSettings',
  'The settings of Manta: nodes, data, badges, …',
);

class MantaSettings implements IMantaSettings {
  readonly changed: Signal<IMantaSettings, Settings> = new Signal<IMantaSettings, Settings>(this);
  private _all: Settings = DEFAULTS;

  get all(): Settings {
    return this._all;
  }

  take(composite: unknown): void {
    const found = readSettings(composite);
    if (JSON.stringify(found) === JSON.stringify(this._all)) return;
    this._all = found;
    this.changed.emit(found);
  }
}

export const settings: JupyterFrontEndPlugin<IMantaSettings> = {
  id: 'manta-nb:settings',
  description: 'The settings of Manta; their defaults where there is no setting registry.',
  autoStart: true,
  provides: IMantaSettings,
  optional: [ISettingRegistry],
  activate: (_app, registry: ISettingRegistry | null) => {
    const made = new MantaSettings();
    // not awaited: whatever needs settings starts with the defaults and is told when they come
    registry
      ?.load(settings.id)
      .then((found) => {
        made.take(found.composite);
        found.changed.connect(() => made.take(found.composite));
      })
      .catch((error: unknown) => console.warn('manta-nb: no settings, the defaults hold', error));
    return made;
  },
};
