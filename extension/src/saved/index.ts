/** The renderer of `application/vnd.manta-nb.run+json`, as a MIME extension: it works without our other plugins. */
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';
import { load } from 'manta-nb/chunks';
import { SavedRun } from './shell';

export const MIME = 'application/vnd.manta-nb.run+json';

/** After the view of a live widget (0 and less), before HTML (50) and pictures (90). */
const RANK = 10;

class Renderer extends Widget implements IRenderMime.IRenderer {
  private readonly run: SavedRun;

  constructor() {
    super();
    this.addClass('manta-saved');
    this.node.dataset.mimeType = MIME;
    this.run = new SavedRun(this.node, () => load('viewer'));
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.run.show(model.data[MIME]);
    return Promise.resolve();
  }

  override dispose(): void {
    if (!this.isDisposed) this.run.dispose();
    super.dispose();
  }

  protected override onAfterAttach(): void {
    this.run.refresh();
  }

  protected override onAfterShow(): void {
    this.run.refresh();
  }
}

const extension: IRenderMime.IExtension = {
  id: 'manta-nb:saved-runs',
  description: 'Finished runs in saved notebooks, to look into without a kernel',
  rank: RANK,
  dataType: 'json',
  rendererFactory: {
    // text and numbers only, whoever wrote them
    safe: true,
    mimeTypes: [MIME],
    createRenderer: () => new Renderer(),
  },
};

export default extension;
