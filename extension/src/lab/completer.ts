/** What may stand at the cursor of our cells, as the kernel knows it: asked beside the cells, so also while one runs. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import {
  type CompletionHandler,
  type ICompletionContext,
  type ICompletionProvider,
  ICompletionProviderManager,
} from '@jupyterlab/completer';
import { Text } from '@jupyterlab/coreutils';
import { NotebookPanel } from '@jupyterlab/notebook';
import { asks } from '../cells/asks';
import type { Link } from '../link/link';
import type { Answer } from '../protocol';
import { IKernels } from './kernels';

/** Later than this nobody waits for it any more. */
const DEADLINE = 400;
const NOTHING: CompletionHandler.ICompletionItemsReply = { start: 0, end: 0, items: [] };

export class MantaCompletions implements ICompletionProvider {
  readonly identifier = 'manta-nb:completions';
  /** before the kernel's own, which say the same with less */
  readonly rank = 1100;
  readonly renderer = null;

  constructor(private readonly kernels: IKernels) {}

  isApplicable(context: ICompletionContext): Promise<boolean> {
    const { editor } = context;
    if (!editor || !this.link(context)) return Promise.resolve(false);
    const at = editor.getOffsetAt(editor.getCursorPosition());
    return Promise.resolve(asks(editor.model.sharedModel.getSource(), at));
  }

  async fetch(
    { text, offset }: CompletionHandler.IRequest,
    context: ICompletionContext,
  ): Promise<CompletionHandler.ICompletionItemsReply> {
    const link = this.link(context);
    if (!link) return NOTHING;
    const at = Text.charIndexToJsIndex(offset, text);
    const late = new Promise<null>((resolve) => void setTimeout(() => resolve(null), DEADLINE));
    const answer = await Promise.race([link.ask({ op: 'complete', text, at }), late]);
    return answer?.ok ? replyOf(answer, text) : NOTHING;
  }

  private link({ widget }: ICompletionContext): Link | null {
    const link = widget instanceof NotebookPanel ? this.kernels.of(widget) : null;
    return link?.phase === 'open' ? link : null;
  }
}

function replyOf(answer: Answer, text: string): CompletionHandler.ICompletionItemsReply {
  const { start = 0, end = 0, completions = [] } = answer;
  const inside = (at: number): number =>
    Text.jsIndexToCharIndex(Math.min(Math.max(at, 0), text.length), text);
  return {
    start: inside(start),
    end: inside(end),
    items: completions.map(({ text: label, kind, help }) => ({
      label,
      insertText: label,
      type: kind,
      ...(help ? { documentation: help } : {}),
    })),
  };
}

export const completer: JupyterFrontEndPlugin<void> = {
  id: 'manta-nb:completer',
  description: 'Completes options, modules, nodes and tags in %%module and %%swarm cells.',
  autoStart: true,
  requires: [IKernels],
  optional: [ICompletionProviderManager],
  activate: (_app: JupyterFrontEnd, kernels: IKernels, manager: ICompletionProviderManager | null) => {
    manager?.registerProvider(new MantaCompletions(kernels));
  },
};
