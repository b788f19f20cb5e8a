import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodesPart } from '../src/panel/nodes';
import { noticeOf } from '../src/panel/notice';
import { RunsPart } from '../src/panel/runs';
import { Sidebar } from '../src/panel/sidebar';
import type { FailureInfo, NodeRow, SessionInfo } from '../src/protocol';
import { CHOSEN, FOLDS, HOSTILE, RUNNING, STOPPED, actions, node, run, view, withData } from './sidedata';
import { all, button, nextFrame, one, pretend } from './sidedom';

const page = pretend();

function session(nodes: NodeRow[], total = nodes.length): SessionInfo {
  return { text: `${total} nodes`, total, states: {}, nodes };
}

test('a node says its state in a word, its task, and how its data compares with the others', () => {
  const part = new NodesPart(actions(), FOLDS);
  const busy = { ...withData('node_1', 50), state: 'busy', task: 'worker' } as const;
  part.update(view({ session: session([withData('node_0', 200), busy]) }));
  const [first, second] = all(part.el, 'ms-node');
  const shares = all(part.el, 'ms-share').map((each) => each.style.values.get('--ms-part'));

  assert.equal(first?.textContent, 'node_0, idle200');
  assert.equal(second?.textContent, 'node_1, busyworker50');
  assert.deepEqual(shares, ['100%', '25%']);
});

test('nodes that are frozen, lost or slow are marked', () => {
  const part = new NodesPart(actions(), FOLDS);
  const nodes = [
    node('a', { state: 'frozen' }),
    node('b', { state: 'lost' }),
    node('c', { factor: 3 }),
    node('d'),
  ];
  part.update(view({ session: session(nodes) }));

  assert.deepEqual(
    all(part.el, 'ms-flag').map((flag) => flag.textContent),
    ['frozen', 'lost', '3× slower', ''],
  );
});

test('of ten thousand nodes the first are shown and the others counted', () => {
  const part = new NodesPart(actions(), FOLDS);
  const nodes = Array.from({ length: 200 }, (_, at) => node(`node_${at}`));
  part.update(view({ session: session(nodes, 10_000) }));

  assert.equal(all(part.el, 'ms-node').length, 200);
  assert.equal(one(part.el, 'ms-faint').textContent, 'and 9,800 more');
});

test('a long list is narrowed down by what is typed, and keeps to it when something changes', () => {
  const part = new NodesPart(actions(), FOLDS);
  const nodes = Array.from({ length: 30 }, (_, at) => node(`node_${at}`));
  part.update(view({ session: session(nodes) }));
  const field = one(part.el, 'ms-filter');
  field.value = 'NODE_2';
  field.happens('input');
  part.update(view({ session: session(nodes) }));

  // 2 and 20 to 29
  assert.equal(all(part.el, 'ms-node').length, 11);
});

test('without nodes there is a button that starts some: those of the notebook, or others', () => {
  const asked = actions();
  const part = new NodesPart(asked, FOLDS);
  part.update(view());
  button(part.el, 'Start nodes…').happens('click');
  part.update(view({}, { start: '%manta start --nodes 8' }));
  button(part.el, 'Start nodes').happens('click');
  button(part.el, 'Other nodes…').happens('click');

  assert.deepEqual(asked.log, ['start', 'start', 'other']);
});

test('a running run shows where it is and can be stopped; a stopped one can go on', () => {
  const asked = actions();
  const part = new RunsPart(asked, FOLDS);
  part.update(view({ runs: [run('fl', RUNNING), run('old', STOPPED)], total: 2 }));
  const bars = all(part.el, 'ms-bar').map((bar) => bar.getAttribute('aria-valuetext'));
  button(part.el, 'Stop fl').happens('click');
  button(part.el, 'Resume old').happens('click');
  button(part.el, 'Open the monitor of old').happens('click');

  assert.deepEqual(bars, ['3 of 20 iterations']);
  // a button's click is not a click on the row
  assert.deepEqual(asked.log, ['stop fl', 'resume old', 'monitor old']);
});

test('a click on a run chooses it, at once', () => {
  const asked = actions();
  const part = new RunsPart(asked, FOLDS);
  const chosen = { ...CHOSEN, run_id: 'a' };
  part.update(view({ runs: [run('a'), run('b')], total: 2, chosen }));
  all(part.el, 'ms-run-main')[1]?.happens('click');
  part.update(view({ runs: [run('a', RUNNING), run('b')], total: 2, chosen }));
  const pressed = all(part.el, 'ms-run-main').map((main) => main.getAttribute('aria-pressed'));

  assert.deepEqual(asked.log, ['choose b']);
  assert.deepEqual(pressed, ['false', 'true']);
});

test('what changes is patched: rows stay the same elements and the focus stays where it is', () => {
  const part = new RunsPart(actions(), FOLDS);
  part.update(view({ runs: [run('a', RUNNING), run('b')], total: 2 }));
  const before = all(part.el, 'ms-run');
  const main = all(part.el, 'ms-run-main')[1];
  main?.focus();
  part.update(view({ runs: [run('new', RUNNING), run('b'), run('a')], total: 3 }));
  const after = all(part.el, 'ms-run');

  assert.deepEqual(
    after.slice(1).map((row) => before.indexOf(row)),
    [1, 0],
  );
  assert.equal(page.activeElement, main);
});

test('when Stop becomes Resume, who had the keyboard there keeps it', () => {
  const part = new RunsPart(actions(), FOLDS);
  part.update(view({ runs: [run('fl', RUNNING)], total: 1 }));
  button(part.el, 'Stop fl').focus();
  part.update(view({ runs: [run('fl', STOPPED)], total: 1 }));

  assert.equal(page.activeElement, button(part.el, 'Resume fl'));
});

test('of many runs the latest are shown until all are asked for', () => {
  const part = new RunsPart(actions(), FOLDS);
  const runs = Array.from({ length: 30 }, (_, at) => run(`r${at}`));
  part.update(view({ runs, total: 45 }));
  const before = all(part.el, 'ms-run').length;
  button(part.el, 'Show all 30 runs').happens('click');

  assert.deepEqual([before, all(part.el, 'ms-run').length], [20, 30]);
  assert.match(one(part.el, 'ms-faint').textContent, /15 more/);
});

test('runs of one name are told apart by their ids, runs of other notebooks are dimmed', () => {
  const part = new RunsPart(actions(), FOLDS);
  const runs = [run('aaaaaaaaaa', { name: 'fl' }), run('bbbbbbbbbb', { name: 'fl', here: false }), run('c')];
  part.update(view({ runs, total: 3 }));

  assert.deepEqual(
    all(part.el, 'ms-run-id').map((id) => id.textContent),
    ['aaaaaaaa', 'bbbbbbbb', ''],
  );
  assert.deepEqual(
    all(part.el, 'ms-run').map((row) => row.classList.contains('ms-past')),
    [false, true, false],
  );
});

test('what strangers wrote is shown as they wrote it', () => {
  const nodes = new NodesPart(actions(), FOLDS);
  nodes.update(view({ session: session([node(HOSTILE, { task: HOSTILE })]) }));
  const runs = new RunsPart(actions(), FOLDS);
  const failure = { message: HOSTILE } as FailureInfo;
  runs.update(view({ runs: [run('a', { name: HOSTILE, best: HOSTILE, failure })], total: 1 }));

  assert.equal(one(nodes.el, 'ms-node-name').textContent, HOSTILE);
  for (const place of ['ms-run-name', 'ms-run-best', 'ms-run-note'])
    assert.equal(one(runs.el, place).textContent, HOSTILE);
});

test('what is folded away stays so', () => {
  const kept: [string, boolean][] = [];
  const folds = {
    isOpen: (name: string) => name !== 'Runs',
    keep: (name: string, open: boolean) => void kept.push([name, open]),
  };
  const part = new RunsPart(actions(), folds);
  part.update(view({ runs: [run('a')], total: 1 }));
  const before = all(part.el, 'ms-run').length;
  one(part.el, 'ms-fold').happens('click');

  assert.deepEqual([before, all(part.el, 'ms-run').length], [0, 1]);
  assert.deepEqual(kept, [['Runs', true]]);
});

test('where there is nothing to show it is said why, and what to do', () => {
  const said = (parts: Parameters<typeof view>[1]): string | undefined =>
    noticeOf(view({ kernel: null }, parts))?.text;

  assert.match(said({ notebook: null }) ?? '', /Open a notebook/);
  assert.match(said({ phase: null }) ?? '', /no kernel/);
  assert.match(said({ phase: 'opening' }) ?? '', /busy with a cell/);
  assert.match(said({ phase: 'restarting' }) ?? '', /come back/);
  assert.match(said({ phase: 'absent' }) ?? '', /no Manta yet/);
  assert.equal(said({ trouble: 'reload the page' }), 'reload the page');
  assert.equal(noticeOf(view()), null);
});

test('many changes are drawn once, in the next frame, and none while nobody looks', () => {
  const sidebar = new Sidebar(actions(), FOLDS);
  sidebar.put(view({ runs: [run('a')], total: 1 }));
  const hidden = nextFrame();
  sidebar.visible(true);
  sidebar.put(view({ runs: [run('b')], total: 1 }));
  sidebar.put(view({ runs: [run('c')], total: 1 }));
  const drawn = nextFrame();
  const names = all(sidebar.el, 'ms-run-name').map((name) => name.textContent);
  sidebar.dispose();

  assert.deepEqual([hidden, drawn, names], [0, 1, ['c']]);
});

test('a kernel of another version shows what to do and nothing else', () => {
  const sidebar = new Sidebar(actions(), FOLDS);
  sidebar.visible(true);
  sidebar.put(view({ runs: [run('a')], total: 1 }, { trouble: 'reload the page' }));
  nextFrame();
  const shown = [one(one(sidebar.el, 'ms-notice'), 'span').textContent, all(sidebar.el, 'ms-run').length];
  sidebar.dispose();

  assert.deepEqual(shown, ['reload the page', 0]);
});
