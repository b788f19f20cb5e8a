/** What is on the canvas, as the kernel reads it (`manta_nb/ui/defining/draft.py`), and how it changes. */

export interface Box {
  key: string;
  module: string;
  x: number;
  y: number;
  method: string;
  maximum: string;
  nodes: string;
}

export interface Arrow {
  from: string;
  to: string;
}

export interface Global {
  tag: string;
  text: string;
}

export interface Draft {
  name: string;
  iterations: string;
  seed: string;
  boxes: Box[];
  arrows: Arrow[];
  globals: Global[];
}

export const BOX = { width: 136, height: 54, gap: 44 };

/** A draft from what the model holds, which may be a part of one. */
export function readDraft(raw: unknown): Draft {
  const given = (raw ?? {}) as Partial<Draft>;
  const boxes = (given.boxes ?? []).map((box, index) => ({ ...blank(box.module, slot(index, 3)), ...box }));
  return {
    name: given.name ?? 'fl',
    iterations: given.iterations ?? '5',
    seed: given.seed ?? '',
    boxes,
    arrows: given.arrows ?? [],
    globals: given.globals ?? [],
  };
}

export function addBox(draft: Draft, module: string, columns: number): Box {
  const taken = (at: { x: number; y: number }) =>
    draft.boxes.some((box) => Math.abs(box.x - at.x) < BOX.width && Math.abs(box.y - at.y) < BOX.height);
  let index = 0;
  while (taken(slot(index, columns))) index += 1;
  const box = blank(module, slot(index, columns));
  draft.boxes.push(box);
  return box;
}

export function removeBox(draft: Draft, key: string): void {
  draft.boxes = draft.boxes.filter((box) => box.key !== key);
  draft.arrows = draft.arrows.filter(({ from, to }) => from !== key && to !== key);
}

/** Draw an arrow; returns why not, or "". */
export function connect(draft: Draft, from: string, to: string): string {
  const names = label(draft, from) + ' → ' + label(draft, to);
  if (from === to) return `${names}: a task cannot wait for itself; the graph is repeated anyway`;
  if (draft.arrows.some((arrow) => arrow.from === from && arrow.to === to))
    return `${names} is there already`;
  if (reaches(draft, to, from)) return `${names} would close a circle; the graph is repeated without that`;
  draft.arrows.push({ from, to });
  return '';
}

export function disconnect(draft: Draft, gone: Arrow): void {
  draft.arrows = draft.arrows.filter(({ from, to }) => from !== gone.from || to !== gone.to);
}

/** Does `to` wait for `from`, directly or not? */
export function reaches(draft: Draft, from: string, to: string): boolean {
  const seen = new Set<string>();
  const queue = [from];
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    if (key === to) return true;
    if (seen.has(key)) continue;
    seen.add(key);
    queue.push(...draft.arrows.filter((arrow) => arrow.from === key).map((arrow) => arrow.to));
  }
  return false;
}

/** The module's name, numbered where it stands several times: `worker (2)`. */
export function label(draft: Draft, key: string): string {
  const box = draft.boxes.find((each) => each.key === key);
  if (!box) return '?';
  const same = draft.boxes.filter((each) => each.module === box.module);
  return same.length > 1 ? `${box.module} (${same.indexOf(box) + 1})` : box.module;
}

function slot(index: number, columns: number): { x: number; y: number } {
  const across = Math.max(1, columns);
  const row = Math.floor(index / across);
  return { x: 20 + (index % across) * (BOX.width + BOX.gap), y: 14 + row * (BOX.height + 26) };
}

function blank(module: string, at: { x: number; y: number }): Box {
  return { key: Math.random().toString(36).slice(2, 10), module, ...at, method: '', maximum: '', nodes: '' };
}
