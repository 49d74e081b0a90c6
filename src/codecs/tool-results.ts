import type { Message, ToolResultPart } from '../model/content.ts';

/** The tool results of a conversation by the call that they answer, each to be taken once. */
export class ToolResults {
  readonly #waiting = new Map<string, ToolResultPart[]>();

  constructor(messages: readonly Message[]) {
    for (const { parts } of messages) {
      for (const part of parts) {
        if (part.type !== 'tool-result' || part.owner === 'provider') continue;
        const same = this.#waiting.get(part.callId);
        if (same) same.push(part);
        else this.#waiting.set(part.callId, [part]);
      }
    }
  }

  take(callId: string): ToolResultPart | undefined {
    return this.#waiting.get(callId)?.shift();
  }

  /** Results that nobody took: no call of the conversation asks for them. */
  left(): ToolResultPart[] {
    return [...this.#waiting.values()].flat();
  }
}
