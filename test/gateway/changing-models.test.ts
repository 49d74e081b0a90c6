import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { post } from '../support/gateway.ts';
import { type StrictGateway, type StrictName, startStrictGateway } from '../support/strict-gateway.ts';
import { seal } from '../support/strict-server.ts';
import { eventsIn, type WalkingClient, walkingClients } from '../support/walking-clients.ts';

const CLAUDE = 'anthropic/claude-sonnet-4-5';
const GEMINI = 'gemini/gemini-3-pro-preview';
const GPT = 'openai/gpt-5';
/** Whose chats may not ask it to reason beside tools. */
const GPT_TOOLS = 'openai/gpt-5.5';
const GPT_PRO = 'openai/gpt-5-pro';
const DEEPSEEK = 'deepseek/deepseek-reasoner';

/** Each model twice, so that each meets what it left behind in its first turn. */
const WALK = [CLAUDE, GEMINI, GPT, DEEPSEEK, CLAUDE, GEMINI, DEEPSEEK, GPT, CLAUDE];

let strict: StrictGateway;
/** What the next answer does, and which one it is. */
let phase: 'call' | 'answer';
let count: number;

beforeEach(async () => {
  count = 0;
  strict = await startStrictGateway(() => {
    count += 1;
    const thinking = `Thought ${count}.`;
    if (phase === 'answer') return { thinking, text: `Answer ${count}.` };
    return { thinking, text: `Looking ${count}.`, calls: [{ name: 'lookup', input: { step: count, deep: true } }] };
  });
});
afterEach(() => strict.close());

interface Manners {
  readonly stream: boolean;
  readonly forgets: boolean;
  /** Sent with every request. */
  readonly headers?: Record<string, string>;
}

/** One session of a client. */
class Session {
  readonly history: JsonObject[] = [];
  readonly #client: WalkingClient;
  readonly #manners: Manners;

  constructor(client: WalkingClient, manners: Manners) {
    this.#client = client;
    this.#manners = manners;
  }

  /** Asks a question, which the first model meets with a call of a tool and the second with an answer. */
  async turn(question: string, calling: string, answering: string): Promise<string> {
    this.history.push(this.#client.say(question));
    phase = 'call';
    const called = await this.#ask(calling);
    this.history.push(...this.#client.results(called));
    phase = 'answer';
    return this.#client.textOf(await this.#ask(answering));
  }

  async #ask(model: string): Promise<JsonObject[]> {
    const { stream, forgets, headers } = this.#manners;
    const client = this.#client;
    const url = `${strict.gateway.url}${client.path(model, stream)}`;
    const answer = await post(url, client.body(this.history, model, stream), headers);
    const text = await answer.text();
    expect([model, answer.status, refusals()], text).toEqual([model, 200, []]);
    const whole: unknown = stream ? client.whole(eventsIn(text)) : JSON.parse(text);
    const items = client.kept(isObject(whole) ? whole : {});
    const kept = forgets ? client.forgetful(items) : items;
    this.history.push(...kept);
    return kept;
  }
}

const refusals = (): string[] => Object.values(strict.upstreams).flatMap(({ refused }) => refused);

const lastAsked = (name: StrictName): string => JSON.stringify(strict.upstreams[name].accepted.at(-1)?.body);

/** Whose thinking stood sealed in what OpenAI was last asked. */
const reasoningAsked = (): string[] => {
  const items = strict.upstreams.openai.accepted.at(-1)?.body.input;
  return (Array.isArray(items) ? items : []).flatMap((item) =>
    isObject(item) && item.type === 'reasoning' && typeof item.encrypted_content === 'string'
      ? (JSON.stringify(item.summary).match(/Thought \d+\./g) ?? [])
      : [],
  );
};

const manners: readonly Manners[] = [
  { stream: false, forgets: false },
  { stream: false, forgets: true },
  { stream: true, forgets: false },
  { stream: true, forgets: true },
];

const cases = walkingClients.flatMap((client) => manners.map((manner) => ({ client, name: client.name, ...manner })));

describe('a session that changes its model at every turn', () => {
  test.each(cases)(
    'D1 D6 D7 goes on, and each model gets its own thinking back: $name, stream $stream, forgetful $forgets',
    async ({ client, stream, forgets }) => {
      const session = new Session(client, { stream, forgets });
      for (const [turn, model] of WALK.entries()) {
        expect(await session.turn(`Question ${turn}`, model, model)).toContain('Answer');
      }
      expect(lastAsked('anthropic')).toContain(JSON.stringify(seal('anthropic', 'Thought 1.')));
      expect(lastAsked('anthropic')).toContain(JSON.stringify(seal('anthropic', 'Thought 9.')));
      expect(lastAsked('gemini')).toContain(JSON.stringify(seal('google', 'lookup')));
      expect(lastAsked('gemini')).not.toContain('skip_thought_signature_validator');
      expect(lastAsked('deepseek')).toContain('"reasoning_content":"Thought 7."');
      // a chat with gpt-5 stays the chat that it is, and those hold no reasoning
      if (client.name !== 'chat') expect(reasoningAsked()).toContain('Thought 5.');
    },
  );

  test.each(cases)(
    'D9 models that reason in the Responses API only keep it between rounds: $name, stream $stream, forgetful $forgets',
    async ({ client, stream, forgets }) => {
      const session = new Session(client, { stream, forgets });
      for (const model of [GPT_TOOLS, GPT_PRO, CLAUDE, GPT_TOOLS, GPT_PRO]) {
        expect(await session.turn('Question', model, model)).toContain('Answer');
      }
      for (const thought of ['Thought 1.', 'Thought 3.', 'Thought 9.']) expect(reasoningAsked()).toContain(thought);
      expect(new Set(strict.upstreams.openai.accepted.map(({ path }) => path))).toEqual(new Set(['/v1/responses']));
    },
  );

  test.each(cases)(
    'D3 D7 D16 goes on where the model changes between a call and its answer: $name, stream $stream, forgetful $forgets',
    async ({ client, stream, forgets }) => {
      const session = new Session(client, { stream, forgets });
      for (const [turn, model] of WALK.entries()) {
        await session.turn(`Question ${turn}`, model, WALK[turn + 1] ?? CLAUDE);
      }
      expect(refusals()).toEqual([]);
    },
  );

  test.each(walkingClients.map((client) => ({ client, name: client.name })))(
    'another caller never gets what a model left for the first: $name',
    async ({ client }) => {
      const first = new Session(client, { stream: false, forgets: true, headers: { 'x-bf-vk': 'sk-bf-one' } });
      await first.turn('Question', CLAUDE, CLAUDE);
      const second = new Session(client, { stream: false, forgets: true, headers: { 'x-bf-vk': 'sk-bf-two' } });
      second.history.push(...first.history);
      await second.turn('Another', CLAUDE, CLAUDE);
      expect(lastAsked('anthropic')).not.toContain(seal('anthropic', 'Thought 1.'));
    },
  );
});
