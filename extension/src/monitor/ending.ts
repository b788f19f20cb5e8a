/** What becomes of an output when its monitor ends: the kernel replaces it, but a page that was reloaded misses that. */
import type { WidgetModel } from './model';

const WIDGET = 'application/vnd.jupyter.widget-view+json';

/** What we use of JupyterLab's model of a notebook. */
interface Outputs {
  readonly length: number;
  get(index: number): { readonly data: Readonly<Record<string, unknown>> };
  set(index: number, output: object): void;
}

interface Cells {
  readonly length: number;
  get(index: number): { readonly outputs?: Outputs };
}

interface Context {
  readonly model?: { readonly cells?: Cells };
}

/** Put `output` where this notebook still shows the model with that id; nothing where the front end has no notebook. */
export function replaceOutputs(
  model: WidgetModel,
  id: string,
  output: Readonly<Record<string, unknown>>,
): void {
  if (Object.keys(output).length === 0) return;
  const context = (model.widget_manager as { context?: Context } | undefined)?.context;
  const cells = context?.model?.cells;
  if (!cells) return;
  for (let at = 0; at < cells.length; at += 1) {
    const outputs = cells.get(at).outputs;
    for (let index = 0; index < (outputs?.length ?? 0); index += 1) {
      const view = outputs?.get(index).data[WIDGET] as { model_id?: unknown } | undefined;
      if (view?.model_id === id) {
        outputs?.set(index, { output_type: 'display_data', data: output, metadata: {} });
      }
    }
  }
}
