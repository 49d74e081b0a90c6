import type { CallContext } from '../model/call.ts';
import type { EarlierEnd, Message } from '../model/content.ts';
import type { ChatRequest, FunctionTool } from '../model/request.ts';
import { appended } from '../model/request.ts';
import { addUsage, NO_USAGE, type Usage } from '../model/usage.ts';
import type { DoneTurn } from './done-turn.ts';
import { type GatewayTools, newlyFound, type RanTools } from './tools.ts';
import { PartNumbering, type Turn } from './turn.ts';

/** How far a run has come: a turn of the model and a round of tools at a time. */
export class Progress {
  /** What the model is asked next. */
  request: ChatRequest;
  readonly numbering = new PartNumbering();
  readonly #asked: Message | undefined;
  readonly #shows: boolean;
  /** Names of the gateway's tools that the model was ever given. */
  readonly #given: string[];
  readonly #rounds: Message[] = [];
  #round = 0;
  #usage: Usage = NO_USAGE;
  #earlier: readonly EarlierEnd[] = [];

  constructor(request: ChatRequest, given: readonly FunctionTool[], shows: boolean) {
    this.request = request;
    this.#asked = request.messages.at(-1);
    this.#given = given.map(({ name }) => name);
    this.#shows = shows;
  }

  /** Counts a turn that is over. */
  afterTurn(turn: Turn, tools: GatewayTools): DoneTurn {
    this.#usage = addUsage(this.#usage, turn.response.usage);
    return {
      asked: this.#asked,
      turn,
      // asked anew in each round, as an admin may have changed it meanwhile
      ours: new Set(this.#given.filter((name) => tools.runsByItself(name))),
      usage: this.#usage,
      rounds: this.#rounds,
      round: this.#round,
      earlier: this.#earlier,
      shows: this.#shows,
      numbering: this.numbering,
    };
  }

  /** Readies the next request: the turn, the results of its calls, and what was found meanwhile. */
  afterTools(turn: Turn, { results, found }: Omit<RanTools, 'paused'>, turnContext: CallContext): void {
    const messages: Message[] = [
      { role: 'assistant', parts: turn.parts },
      { role: 'tool', parts: results },
    ];
    this.#rounds.push(...messages);
    this.#round += 1;
    this.#earlier = turn.earlierEnds(this.#earlier);
    const offer = newlyFound(found, this.request);
    this.#given.push(...offer.map(({ name }) => name));
    this.request = nextRequest(this.request, messages, offer, turnContext);
  }
}

/**
 * The next round's request: a forced tool choice is relaxed, or the model could never answer; and a fallback that
 * answered keeps the conversation, because its ids and reasoning mean nothing to the target that failed.
 */
function nextRequest(
  request: ChatRequest,
  messages: readonly Message[],
  tools: readonly FunctionTool[],
  { trace }: CallContext,
): ChatRequest {
  const forced = request.toolChoice?.type === 'required' || request.toolChoice?.type === 'tool';
  const next = appended(request, { messages, tools, ...(forced && { toolChoice: { type: 'auto' } as const }) });
  const answered = trace.attempts.at(-1);
  if (!answered || answered.fallbackIndex === 0) return next;
  return { ...next, model: `${answered.provider}/${answered.model}` };
}
