/** Brackets and quotes close themselves in our cells; other cells stay as JupyterLab's own setting has them. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { EditorExtensionRegistry, IEditorExtensionRegistry } from '@jupyterlab/codemirror';
import { bracketsInCells } from '../cells/brackets';
import { IMantaSettings } from './settings';

export const brackets: JupyterFrontEndPlugin<void> = {
  id: 'manta-nb:brackets',
  description: 'Closes brackets and quotes in %%module and %%swarm cells.',
  autoStart: true,
  requires: [IEditorExtensionRegistry],
  optional: [IMantaSettings],
  activate: (_app: JupyterFrontEnd, registry: IEditorExtensionRegistry, settings: IMantaSettings | null) => {
    const enabled = (): boolean => settings?.all.closeBrackets ?? true;
    registry.addExtension({
      name: 'manta-nb:brackets',
      factory: ({ inline }) =>
        inline ? EditorExtensionRegistry.createImmutableExtension(bracketsInCells(enabled)) : null,
    });
  },
};
