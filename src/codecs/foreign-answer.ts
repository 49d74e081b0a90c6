import type { CodecId, Origin, Part } from '../model/content.ts';
import type { StreamEvent } from '../model/event.ts';
import { isObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { Loss } from '../model/loss.ts';
import { citationsOf } from './citations.ts';
import { citationsAtEnd, citationsInLastText } from './citations-at-end.ts';
import { documentsCited } from './document-citations.ts';
import { foreignBlock } from './foreign-block.ts';
import { says, unsaid } from './foreign-fields.ts';
import { mediaLosses } from './foreign-media.ts';
import { WORDS, type Words } from './foreign-words.ts';
import { compacted } from './ledger.ts';
import { objectOf, objectsOf } from './members.ts';

/**
 * The account of an answer whose client speaks another format than its provider: what the provider's blocks say beside
 * what the model of answers holds stays behind. Fields are paths in the provider's answer, behind `answer.`.
 */
export class AnswerAccount {
  readonly #client: CodecId;
  /** Where a client takes pages only while their text is open, and so in order: what it was given of the texts. */
  readonly #inOrder: GivenTexts | undefined;
  readonly #losses: Loss[] = [];

  /** `isStreamed`: the client gets the answer as it comes. */
  constructor(client: CodecId, isStreamed = false) {
    this.#client = client;
    this.#inOrder = isStreamed && CLOSING_FORMATS.has(client) ? new GivenTexts() : undefined;
  }

  get losses(): readonly Loss[] {
    return compacted(this.#losses);
  }

  see(event: StreamEvent): void {
    this.#inOrder?.see(event);
    if (event.type === 'response-start') this.#frame(event.origin, 'start');
    else if (event.type === 'response-end') this.#frame(event.origin, 'end');
    else if (event.type === 'part-end') this.#part(event.origin);
    else if (event.type === 'part-start') this.#started(event.part);
  }

  #started(part: Part): void {
    if (part.type === 'opaque') this.#opaque(part.origin);
    else if (part.type === 'media') this.#losses.push(...mediaLosses(part, this.#client));
  }

  #frame(origin: Origin | undefined, place: 'start' | 'end'): void {
    if (!origin || origin.codec === this.#client) return;
    const words = FRAMES[origin.codec][place];
    if (words) this.#unsaid(withFirstsOnly(origin.block), words, 'answer.', this.#toldAtEnd(origin));
    if (place === 'end') this.#alternatives(origin.block);
  }

  #alternatives({ choices, candidates }: JsonObject): void {
    const field = choices ? 'choices' : 'candidates';
    const answers = choices ?? candidates;
    const more = Array.isArray(answers) ? answers.length - 1 : 0;
    if (more < 1) return;
    this.#losses.push({ field: `answer.${field}.*`, action: 'dropped', reason: 'only the first of several is told' });
  }

  #part(origin: Origin | undefined): void {
    if (!origin || origin.codec === this.#client || isOpaque(origin)) return;
    const told = this.#toldInside(origin);
    this.#unsaid(origin.block, PARTS[origin.codec], 'answer.content.*.', told);
    if (isCutShort(origin.block)) this.#losses.push(CUT_SHORT);
  }

  #toldInside(origin: Origin): PagesTold {
    const { citations, citationsContent, annotations } = origin.block;
    const named = objectsOf(citations ?? objectOf(citationsContent).citations ?? annotations).length;
    const told = citationsOf(origin, 0).length + (TELLING_DOCUMENTS.has(this.#client) ? documentsCited(origin) : 0);
    if (told === 0) return 'none';
    return told < named ? 'pages-only' : 'all';
  }

  #toldAtEnd(origin: Origin): PagesTold {
    const named = citationsAtEnd(origin, this.#inOrder?.text ?? '').length;
    const told = this.#inOrder ? this.#inOrder.citable(origin) : named;
    if (named === 0) return 'none';
    return told === named ? 'all' : told === 0 ? 'too-late' : 'some';
  }

  #opaque(origin: Origin): void {
    if (origin.codec === this.#client) return;
    this.#losses.push({ field: 'answer.content.*', action: 'dropped', reason: foreignBlock(origin) });
  }

  #unsaid(block: JsonObject, words: Words, at: string, told: PagesTold): void {
    const reason = `${this.#client} has no such field`;
    const drop = (field: string): void => {
      const pages = CITING.test(field) ? TOLD[told]?.(field) : undefined;
      this.#losses.push(...(pages ?? [{ field, action: 'dropped', reason } as const]));
    };
    unsaid(block, words, at, drop, isSaid);
  }
}

/** Items of the Responses API, messages among them. */
const isCutShort = ({ status, message }: JsonObject): boolean =>
  status === 'incomplete' || objectOf(message).status === 'incomplete';

const CUT_SHORT: Loss = {
  field: 'answer.content.*.status',
  action: 'dropped',
  reason: 'that an item was cut short is told by the end of the answer alone',
};

/** Which of the pages that an answer cites its client is told. */
type PagesTold = 'all' | 'pages-only' | 'some' | 'too-late' | 'none';

const toldAsPages = (field: string): Loss => ({
  field,
  action: 'rewritten',
  reason: 'citations tell the pages; what else is said of sources stays behind',
});

const cameTooLate = (field: string): Loss => ({
  field,
  action: 'dropped',
  reason: 'pages of texts that had ended before the provider named them: this format has no place behind a text',
});

const placesInFiles = (field: string): Loss => ({
  field,
  action: 'dropped',
  reason: 'places in documents and files have no address in this format',
});

const TOLD: Readonly<Partial<Record<PagesTold, (field: string) => readonly Loss[]>>> = {
  all: (field) => [toldAsPages(field)],
  'pages-only': (field) => [toldAsPages(field), placesInFiles(field)],
  some: (field) => [toldAsPages(field), cameTooLate(field)],
  'too-late': (field) => [cameTooLate(field)],
};

/** Formats that have words for places in the user's documents. */
const TELLING_DOCUMENTS: ReadonlySet<CodecId> = new Set(['anthropic-messages', 'bedrock-converse']);

/** Formats whose streams tell pages inside of the block that rests on them. */
const CLOSING_FORMATS: ReadonlySet<CodecId> = new Set(['anthropic-messages', 'bedrock-converse']);

/** The texts of a stream: the last of them stays open for its pages until something else begins. */
class GivenTexts {
  text = '';
  #lastText = 0;
  #isOpen = false;
  #growing: number | undefined;

  see(event: StreamEvent): void {
    if (event.type === 'part-start') {
      this.#isOpen = event.part.type === 'text';
      if (event.part.type !== 'text') return;
      this.#lastText = this.text.length;
      this.#growing = event.index;
      this.text += event.part.text;
    } else if (event.type === 'part-delta' && event.index === this.#growing) this.text += event.delta;
  }

  /** How many of the pages that the end of the answer names can still be told. */
  citable(origin: Origin): number {
    return this.#isOpen ? citationsInLastText(origin, this.text, this.#lastText).length : 0;
  }
}

const CITING = /\.(citations|search_results|annotations|groundingMetadata|citationMetadata)$/;

/** Opaque parts end with the block they began with, which was told as a whole. */
const isOpaque = ({ codec, block }: Origin): boolean =>
  !Object.keys(block).some((key) => key !== 'type' && key !== 'id' && WORDS[codec].part[key] !== undefined);

/** Lists of alternatives as the one that is read: a walk over members does not look into lists. */
function withFirstsOnly(block: JsonObject): JsonObject {
  if (!('choices' in block || 'candidates' in block)) return block;
  const first = (list: JsonValue | undefined): JsonValue | undefined => (Array.isArray(list) ? list[0] : list);
  const { choices, candidates, ...rest } = block;
  return {
    ...rest,
    ...(isObject(first(choices)) && { choices: first(choices) }),
    ...(isObject(first(candidates)) && { candidates: first(candidates) }),
  };
}

/** An answer has lists for what there might have been: an empty one says nothing. */
const isSaid = (value: JsonValue | undefined): boolean => says(value) && !(Array.isArray(value) && value.length === 0);

/** A block's name, its place, and that it is finished mean nothing outside of its own format. */
const NAMES: Words = { id: true, index: true, status: true, message: true, closed: true, caller: { type: true } };

const PARTS = Object.fromEntries(
  Object.entries(WORDS).map(([codec, { part }]) => [codec, { ...part, ...NAMES }]),
  // one entry for each of WORDS
) as unknown as Readonly<Record<CodecId, Words>>;

const named = (...members: string[]): Words => Object.fromEntries(members.map((member) => [member, true]));

/** Around the blocks: what the model of answers holds, and what is said of the exchange; absent = told at the other end. */
const FRAMES: Readonly<Record<CodecId, { readonly start?: Words; readonly end: Words }>> = {
  'anthropic-messages': {
    start: named('id', 'type', 'role', 'model', 'content', 'usage', 'stop_reason', 'stop_sequence'),
    end: { ...named('type', 'usage'), delta: named('stop_reason', 'stop_sequence') },
  },
  'bedrock-converse': { end: named('output', 'stopReason', 'usage', 'metrics') },
  gemini: {
    end: {
      ...named('usageMetadata', 'createTime', 'responseId', 'modelVersion'),
      candidates: named('content', 'finishReason', 'index'),
    },
  },
  'openai-chat': {
    // sources are told at the end once more
    start: named('id', 'object', 'created', 'model', 'citations', 'search_results'),
    end: {
      usage: true,
      choices: { ...named('index', 'finish_reason'), message: named('role', 'content', 'refusal', 'tool_calls') },
    },
  },
  // most of a Responses answer repeats its request
  'openai-responses': {
    end: named(
      ...['id', 'object', 'created_at', 'completed_at', 'status', 'error', 'incomplete_details', 'model', 'output'],
      ...['output_text', 'usage', 'background', 'frequency_penalty', 'presence_penalty', 'instructions', 'metadata'],
      ...['max_output_tokens', 'max_tool_calls', 'parallel_tool_calls', 'previous_response_id', 'prompt_cache_key'],
      ...['prompt_cache_retention', 'reasoning', 'safety_identifier', 'store', 'temperature', 'text', 'tool_choice'],
      ...['tools', 'top_logprobs', 'top_p', 'truncation', 'user'],
    ),
  },
};
