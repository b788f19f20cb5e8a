/** Replays a recorded run into the real widget, in place of a kernel. Parameters: harness/README.md. */
import widget from '../../src/monitor/index';
import type { Command, Message } from '../../src/monitor/protocol';
import { answer } from './answers';
import { FakeModel } from './model';
import { made } from './made';

/** A message as it was recorded: seconds since the first, and its buffers in base64. */
export interface Recorded {
  t: number;
  msg: Message;
  buffers: string[];
}

const query = new URLSearchParams(location.search);
const body = document.body;
const sent: Command[] = [];

function dressed(): HTMLElement {
  const theme = query.get('theme') ?? 'light';
  // "none" is a page that is no Jupyter: no variables at all
  if (theme !== 'none') body.dataset.jpThemeLight = String(theme !== 'dark');
  const cell = document.getElementById('cell') ?? body;
  const width = query.get('width');
  if (width) cell.style.width = `${Number(width)}px`;
  return cell;
}

async function recorded(): Promise<Recorded[]> {
  const fixture = query.get('fixture') ?? 'made';
  if (fixture === 'made') return made(query);
  const response = await fetch(`fixtures/${encodeURIComponent(fixture)}.json`);
  if (!response.ok) throw new Error(`no fixture ${fixture}`);
  return (await response.json()) as Recorded[];
}

const buffer = (base64: string): DataView => {
  const text = atob(base64);
  // one byte too early, as a real message may have it
  const bytes = new Uint8Array(text.length + 1);
  // a kernel's messages are binary: this must not count as time of the monitor
  for (let index = 0; index < text.length; index += 1) bytes[index + 1] = text.charCodeAt(index);
  return new DataView(bytes.buffer, 1);
};

const frame = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(resolve));
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function replay(model: FakeModel, messages: Recorded[]): Promise<void> {
  const from = Number(query.get('from') ?? 0);
  for (const { msg, buffers } of messages.slice(0, from)) model.receive(msg, buffers.map(buffer));
  await frame();
  await frame();
  body.dataset.begun = 'true';
  await play(model, messages.slice(from));
}

/** At the speed that the page asks for. */
async function play(model: FakeModel, messages: Recorded[]): Promise<void> {
  const speed = Number(query.get('speed') ?? 0);
  const started = performance.now();
  const first = messages[0]?.t ?? 0;
  for (const { t, msg, buffers } of messages) {
    const wait = speed > 0 ? (1000 * (t - first)) / speed - (performance.now() - started) : 0;
    if (wait > 0) await pause(wait);
    model.receive(msg, buffers.map(buffer));
  }
}

async function main(): Promise<void> {
  const cell = dressed();
  const model = new FakeModel((command) => {
    sent.push(command);
    const reply = answer(command);
    if (reply) setTimeout(() => model.receive(reply, []), 20);
  });
  const monitor = widget();
  monitor.initialize({ model });
  monitor.render({ model, el: cell });
  const messages = await recorded();
  await replay(model, messages.slice(0, Number(query.get('until') ?? Infinity)));
  await frame();
  await frame();
  const tab = query.get('tab');
  for (const button of cell.querySelectorAll<HTMLElement>('[role=tab]')) {
    if (tab && button.firstChild?.textContent === tab) button.click();
  }
  await look(cell);
  body.dataset.ready = 'true';
}

/** Go back to the iteration that `at` names, and wait until it is drawn. */
async function look(cell: HTMLElement): Promise<void> {
  const at = query.get('at');
  const slider = cell.querySelector<HTMLInputElement>('input[type=range]');
  if (at && slider) {
    slider.value = at;
    slider.dispatchEvent(new Event('input'));
  }
  await frame();
  await frame();
}

Object.assign(window, { harness: { sent } });
main().catch((error: unknown) => {
  body.dataset.error = String(error);
  throw error;
});
