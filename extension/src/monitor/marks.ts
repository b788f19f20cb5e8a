/** A sign and a word for each state, so that none is told by its colour alone. */
import type { NodeState, TaskState } from './protocol';

export interface Mark {
  readonly sign: string;
  readonly word: string;
  /** which colour of the theme: ok, warn, bad, busy or calm */
  readonly tone: 'ok' | 'warn' | 'bad' | 'busy' | 'calm';
}

export const NODE_MARKS: Readonly<Record<NodeState, Mark>> = {
  running: { sign: '▶', word: 'running', tone: 'busy' },
  done: { sign: '✓', word: 'done', tone: 'ok' },
  waiting: { sign: '◔', word: 'waiting', tone: 'calm' },
  idle: { sign: '○', word: 'idle', tone: 'calm' },
  failed: { sign: '✗', word: 'failed', tone: 'bad' },
  lost: { sign: '!', word: 'lost', tone: 'bad' },
  gone: { sign: '–', word: 'gone', tone: 'warn' },
};

export const TASK_MARKS: Readonly<Record<TaskState, Mark>> = {
  pending: { sign: '○', word: 'waiting', tone: 'calm' },
  running: { sign: '▶', word: 'running', tone: 'busy' },
  done: { sign: '✓', word: 'done', tone: 'ok' },
  failed: { sign: '✗', word: 'failed', tone: 'bad' },
};

/** A state that this page does not know yet is shown by its own word. */
export function nodeMark(state: string): Mark {
  return NODE_MARKS[state as NodeState] ?? { sign: '?', word: state, tone: 'calm' };
}
