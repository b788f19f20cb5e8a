/** The messages of a kernel, added up to what is known of it; what is not as it should be is left out. */
import { PROTOCOL } from '../protocol';
import type { Answer, State } from '../protocol';
import type { Known, Section } from './link';

export const NOTHING: Known = {
  kernel: null,
  session: null,
  runs: [],
  total: 0,
  modules: [],
  chosen: null,
};

const SECTIONS = Object.keys(NOTHING) as (keyof Known)[];

export type Message = State | Answer;

/** A message of the kernel; null for what is none. */
export function messageOf(data: unknown): Message | null {
  if (!isRecord(data)) return null;
  if (data.op === 'state' && typeof data.seq === 'number') return data as unknown as State;
  if (data.op === 'answer' && typeof data.ask === 'number')
    return { ...data, ok: data.ok === true, text: textOf(data.text) } as unknown as Answer;
  return null;
}

/** What is known after a message, and what of it changed. */
export function add(known: Known, message: State): { known: Known; changed: Set<Section> } {
  const found: Partial<Record<keyof Known, unknown>> = message.full ? { ...NOTHING } : {};
  const said = message as unknown as Record<string, unknown>;
  for (const section of SECTIONS) {
    const value = checked(section, said[section]);
    if (value !== undefined) found[section] = value;
  }
  const changed = new Set<Section>(Object.keys(found) as (keyof Known)[]);
  return { known: { ...known, ...(found as Partial<Known>) }, changed };
}

/** Why nothing of this kernel can be shown; "" where it speaks as this page does. */
export function troubleOf({ kernel }: Known): string {
  return kernel && kernel.protocol !== PROTOCOL
    ? 'This page is of another version of manta-nb than the kernel: reload the page, or restart the kernel.'
    : '';
}

/** The value if it can be that section, else undefined. */
function checked(section: keyof Known, value: unknown): unknown {
  switch (section) {
    case 'runs':
    case 'modules':
      return Array.isArray(value) ? value.filter(isRecord) : undefined;
    case 'total':
      return typeof value === 'number' ? value : undefined;
    case 'session':
      return listed(value, 'nodes');
    case 'chosen':
      return listed(value, 'globals', 'results');
    default:
      return isRecord(value) ? value : undefined;
  }
}

/** A record whose values of these names are lists of records; null stays null. */
function listed(value: unknown, ...names: string[]): unknown {
  if (value === null) return null;
  if (!isRecord(value)) return undefined;
  const lists = names.map((name) => {
    const list = value[name];
    return [name, Array.isArray(list) ? list.filter(isRecord) : []];
  });
  return { ...value, ...Object.fromEntries(lists) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
