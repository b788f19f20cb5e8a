/** The colours of our magic lines, in every cell. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { EditorExtensionRegistry, IEditorExtensionRegistry } from '@jupyterlab/codemirror';
import { magicColours } from '../cells/colours';
import cellStyle from './cells.css';
import { addStyle } from '../styles';

export const highlight: JupyterFrontEndPlugin<void> = {
  id: 'manta-nb:highlight',
  description: 'Colours of %%module, %%swarm and %manta lines.',
  autoStart: true,
  requires: [IEditorExtensionRegistry],
  activate: (_app: JupyterFrontEnd, registry: IEditorExtensionRegistry) => {
    addStyle('cells', cellStyle);
    registry.addExtension({
      name: 'manta-nb:magics',
      // a file in its own tab is no cell
      factory: ({ inline }) =>
        inline ? EditorExtensionRegistry.createImmutableExtension(magicColours) : null,
    });
  },
};
