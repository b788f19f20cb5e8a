/** Questions that wait for their answers; each is answered, if only by the clock. */
import type { Answer, Question } from '../protocol';

export const PATIENCE_MS = 15_000;

const LATE = 'The kernel has not answered in 15 s. If it is busy with a cell, it does when that has ended.';

export class Asking {
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private last = 0;

  constructor(private readonly patience = PATIENCE_MS) {}

  /** Send a question; its answer, or why there is none. */
  ask(question: Omit<Question, 'ask'>, send: (question: Question) => void): Promise<Answer> {
    const ask = (this.last += 1);
    return new Promise((resolve) => {
      const late = setTimeout(() => this.answer(refusal(ask, LATE)), this.patience);
      this.waiting.set(ask, (answer) => {
        clearTimeout(late);
        resolve(answer);
      });
      try {
        send({ ...question, ask });
      } catch {
        this.answer(refusal(ask, 'The line to the kernel is gone: try it again in a moment.'));
      }
    });
  }

  /** What the kernel has answered; one that nobody waits for any more is dropped. */
  answer(answer: Answer): void {
    const resolve = this.waiting.get(answer.ask);
    this.waiting.delete(answer.ask);
    resolve?.(answer);
  }

  /** Nothing that is waited for will be answered. */
  end(why: string): void {
    for (const ask of [...this.waiting.keys()]) this.answer(refusal(ask, why));
  }
}

export function refusal(ask: number, text: string): Answer {
  return { op: 'answer', ask, ok: false, text };
}
