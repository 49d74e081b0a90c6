import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { Ledger } from '../ledger.ts';
import { listOf, refuse } from './translation.ts';

/** A legacy completion as chats ask for it: one for each of its prompts. */
export interface TextAsked {
  readonly prompts: readonly string[];
  /** The chat's members beside `model`, `messages` and `stream`. */
  readonly settings: JsonObject;
  /** How many choices are wanted of each prompt. */
  readonly choices: number;
  readonly echo: boolean;
}

/** Members that only a legacy completion has, or that the chat gets in other words. */
const OWN_MEMBERS: ReadonlySet<string> = new Set([
  'model',
  'fallbacks',
  'stream',
  'prompt',
  'max_tokens',
  'max_completion_tokens',
  'n',
  'logprobs',
  'echo',
  'suffix',
  'best_of',
]);

/**
 * What a body of `/v1/completions` asks, in the words of Chat Completions. `limitField`: the target's word for the most
 * tokens of an answer. Throws GatewayError('invalid-request') where the prompt is no text.
 */
export function textAsked(fields: JsonObject, limitField: string, ledger: Ledger): TextAsked {
  const { n, logprobs, echo } = fields;
  const limit = fields.max_tokens ?? fields.max_completion_tokens ?? null;
  const choices = typeof n === 'number' ? n : 1;
  accountForMissing(fields, choices, ledger);
  const others = Object.entries(fields).filter(([name, value]) => !OWN_MEMBERS.has(name) && value !== null);
  return {
    prompts: promptsOf(fields.prompt),
    choices,
    echo: echo === true,
    settings: {
      ...Object.fromEntries(others),
      ...(limit !== null && { [limitField]: limit }),
      ...(n !== undefined && n !== null && n !== 1 && { n }),
      ...(logprobs === true && { logprobs }),
      ...(typeof logprobs === 'number' && { logprobs: true, top_logprobs: logprobs }),
    },
  };
}

/** A text, or several that are answered each by itself (OpenAI API reference, completions). */
function promptsOf(prompt: JsonValue | undefined): readonly string[] {
  if (prompt === undefined || prompt === null) refuse('prompt', 'is required: a text, or a list of texts');
  const prompts = Array.isArray(prompt) ? prompt : [prompt];
  if (prompts.length === 0) refuse('prompt', 'is an empty list: write at least one text');
  return prompts.map((each) =>
    typeof each === 'string' ? each : refuse('prompt', 'holds token ids, which a chat cannot be asked; write its text'),
  );
}

/** What no chat can do. */
function accountForMissing(fields: JsonObject, choices: number, ledger: Ledger): void {
  const { suffix, best_of: candidates, echo, logprobs } = fields;
  if (typeof suffix === 'string' && suffix !== '') {
    ledger.dropped('suffix', 'a chat cannot fill a gap: only what stands before it was sent');
  }
  if (typeof candidates === 'number' && candidates !== choices) {
    ledger.dropped('best_of', 'a chat has no choice of the best among several');
  }
  if (echo === true && typeof logprobs === 'number') {
    ledger.dropped('echo.logprobs', 'a chat tells no probabilities of its prompt');
  }
}

/** The chat for one of the prompts. */
export const chatBody = ({ settings }: TextAsked, prompt: string, model: string, stream: boolean): JsonObject => ({
  model,
  messages: [{ role: 'user', content: prompt }],
  ...settings,
  ...(stream && { stream }),
});

/** One prompt's answer as legacy choices, whole or chunk by chunk: a chunk's texts stand behind those before it. */
export class TextChoices {
  readonly #asked: TextAsked;
  readonly #place: number;
  readonly #ledger: Ledger;
  /** How long the text of each choice is so far. */
  readonly #lengths = new Map<number, number>();

  /** `place`: which of the prompts it is. */
  constructor(asked: TextAsked, place: number, ledger: Ledger) {
    this.#asked = asked;
    this.#place = place;
    this.#ledger = ledger;
  }

  /** The choices of an answer or a chunk. Empty where a chunk says nothing that a text completion has room for. */
  of(chat: JsonObject): JsonObject[] {
    return listOf(chat.choices)
      .filter(isObject)
      .map((choice) => this.#choice(choice))
      .filter((choice) => choice !== undefined);
  }

  #choice(choice: JsonObject): JsonObject | undefined {
    const at = typeof choice.index === 'number' ? choice.index : 0;
    const said = isObject(choice.message) ? choice.message : isObject(choice.delta) ? choice.delta : {};
    const from = this.#lengths.get(at);
    const answered = spoken(said);
    const finish = finishWord(choice.finish_reason);
    this.#accountForThoughts(said);
    const logprobs = legacyLogprobs(choice.logprobs, (from ?? 0) + (from === undefined ? this.#echoed.length : 0));
    if (answered === '' && finish === null && logprobs === null) return undefined;
    const text = from === undefined ? this.#echoed + answered : answered;
    this.#lengths.set(at, (from ?? 0) + text.length);
    return { text, index: this.#place * this.#asked.choices + at, logprobs, finish_reason: finish };
  }

  get #echoed(): string {
    return this.#asked.echo ? (this.#asked.prompts[this.#place] ?? '') : '';
  }

  #accountForThoughts({ reasoning, reasoning_content: content }: JsonObject): void {
    if ((!reasoning && !content) || this.#ledger.losses.some(({ field }) => field === THOUGHTS)) return;
    this.#ledger.dropped(THOUGHTS, 'a text completion has no place for reasoning');
  }
}

const THOUGHTS = 'choices.message.reasoning';

/** A refusal is what the model says in place of an answer. */
function spoken({ content, refusal }: JsonObject): string {
  if (typeof content === 'string' && content !== '') return content;
  return typeof refusal === 'string' ? refusal : '';
}

const FINISHES: ReadonlySet<unknown> = new Set(['stop', 'length', 'content_filter']);

function finishWord(word: JsonValue | undefined): string | null {
  if (typeof word !== 'string') return null;
  return FINISHES.has(word) ? word : 'stop';
}

/** Lists side by side in place of an object for each token (OpenAI API reference, completions). */
function legacyLogprobs(given: JsonValue | undefined, from: number): JsonObject | null {
  const tokens = isObject(given) ? listOf(given.content).filter(isObject) : [];
  if (tokens.length === 0) return null;
  let offset = from;
  const offsets = tokens.map(({ token }) => {
    const at = offset;
    offset += String(token).length;
    return at;
  });
  return {
    tokens: tokens.map(({ token = '' }) => token),
    token_logprobs: tokens.map(({ logprob = null }) => logprob),
    top_logprobs: tokens.map(({ top_logprobs: top }) =>
      Object.fromEntries(
        listOf(top)
          .filter(isObject)
          .map(({ token, logprob = null }) => [String(token), logprob]),
      ),
    ),
    text_offset: offsets,
  };
}

/** A chat's answer or chunk with these choices in place of its own; `usage` is told apart from it. */
export function textCompletion(chat: JsonObject, choices: readonly JsonObject[]): JsonObject {
  const { id, choices: _chats, usage: _counts, extra_fields: _ours, ...rest } = chat;
  return {
    ...rest,
    id: typeof id === 'string' ? id.replace(/^chatcmpl-/, 'cmpl-') : 'cmpl',
    object: 'text_completion',
    choices: [...choices],
  };
}
