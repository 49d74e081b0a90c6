import { readBody } from '../../codecs/body.ts';
import type { Codec } from '../../codecs/codec.ts';
import { Ledger } from '../../codecs/ledger.ts';
import { wireUsage } from '../../codecs/openai-chat/usage.ts';
import {
  chatBody,
  type TextAsked,
  TextChoices,
  textAsked,
  textCompletion,
} from '../../codecs/operations/text-as-chat.ts';
import { createSseReader, type SseReader } from '../../codecs/sse.ts';
import type { CallContext } from '../../model/call.ts';
import { GatewayError } from '../../model/errors.ts';
import type { Frame } from '../../model/event.ts';
import { type JsonObject, parsedObject } from '../../model/json.ts';
import type { OperationFrame, OperationRequest } from '../../model/operation.ts';
import { type ChatRequest, DeferredRequest } from '../../model/request.ts';
import { emptyResponse, fold } from '../../model/response.ts';
import { addUsage, NO_USAGE, type Usage } from '../../model/usage.ts';
import type { ProviderCall } from '../call.ts';
import { type CompatRules, rulesFor } from '../compat.ts';
import { isScripted, type Operation, type Provider } from '../provider.ts';
import { type CallTarget, placed } from '../target.ts';
import type { OperationTry } from './call.ts';

/** Asks chats in place of legacy completions. */
export interface TextByChat {
  readonly call: ProviderCall;
  /** Of Chat Completions. */
  readonly codec: Codec;
  readonly rules: CompatRules;
}

/** OpenAI's own chat models, which its legacy API refuses; what is not known is asked as it is. */
const CHATS_ONLY = /^(?:ft:)?(?:gpt-(?!3\.5-turbo-instruct)|chatgpt-|o\d|codex-)/;

/** Servers of OpenAI's own models; others complete with any model that they run. */
const OPENAI_HOSTS: ReadonlySet<string> = new Set(['openai', 'azure']);

/** Whether a chat may stand in where a provider is not allowed, or not able, to complete texts. */
export function mayStandIn(
  rules: CompatRules,
  provider: Provider,
  { kind, stream }: OperationRequest,
  { caller }: CallContext,
): boolean {
  return kind === 'text_completion' && rulesFor(rules, caller.compat).convertsTexts && provider.allows(chatOf(stream));
}

const chatOf = (stream: boolean): Operation & string => (stream ? 'chat_completion_stream' : 'chat_completion');

/** Whether a target cannot complete texts itself. */
function onlyChats({ provider, model }: CallTarget, { stream }: OperationRequest): boolean {
  const { deployment } = provider;
  if (isScripted(deployment)) return true;
  if (!provider.allows(stream ? 'text_completion_stream' : 'text_completion')) return true;
  const wires = deployment.operations?.text_completion ?? [];
  if (!wires.some(({ serves }) => serves?.(model) ?? true)) return true;
  return OPENAI_HOSTS.has(deployment.name) && CHATS_ONLY.test(model);
}

/** Tries that ask a chat where a target is asked to complete a text, only chats, and somebody wants that. */
export const withChats =
  (next: OperationTry, byChat: TextByChat): OperationTry =>
  (target, request, context) => {
    if (!mayStandIn(byChat.rules, target.provider, request, context)) return next(target, request, context);
    // a target before this one may have been asked otherwise
    context.trace.convertedTo = undefined;
    return onlyChats(placed(target), request)
      ? textFrames(byChat, target, request, context)
      : next(target, request, context);
  };

/** The answer to a legacy completion, by chats. Throws GatewayError. */
async function* textFrames(
  { call, codec }: TextByChat,
  target: CallTarget,
  request: OperationRequest,
  context: CallContext,
): AsyncGenerator<OperationFrame> {
  const { trace } = context;
  const ledger = new Ledger();
  const asked = textAsked(request.payload.fields, limitFieldOf(target), ledger);
  const chats = asked.prompts.map((prompt) => chatOfPrompt(asked, prompt, request, codec));
  trace.losses.push(...ledger.losses.splice(0));
  const writing: Writing = {
    asked,
    codec,
    model: request.model,
    ledger,
    ask: (chat) => call(target, chat, context),
    account: () => {
      trace.convertedTo ??= chatOf(request.stream);
      trace.losses.push(...ledger.losses.splice(0));
    },
  };
  try {
    if (request.stream) yield* streamed(chats, writing);
    else yield await whole(chats, writing);
  } finally {
    writing.account();
  }
}

function limitFieldOf(target: CallTarget): string {
  const { deployment } = placed(target).provider;
  return (isScripted(deployment) ? undefined : deployment.wire.maxTokensField) ?? 'max_completion_tokens';
}

function chatOfPrompt(
  asked: TextAsked,
  prompt: string,
  { model, stream }: OperationRequest,
  codec: Codec,
): ChatRequest {
  const body = Buffer.from(JSON.stringify(chatBody(asked, prompt, model, stream)));
  const { head, source } = readBody(codec.id, body);
  return new DeferredRequest(head, source, codec.decodeRequest);
}

interface Writing {
  readonly asked: TextAsked;
  readonly codec: Codec;
  /** As the client asked for it. */
  readonly model: string;
  /** What answers say that a text completion has no room for. */
  readonly ledger: Ledger;
  readonly ask: (chat: ChatRequest) => AsyncIterable<Frame>;
  /** Notes for whoever tells of the call what became of it; a chat that was begun has noted its own part. */
  readonly account: () => void;
}

/** Chats under way at a time for one call. */
const AT_ONCE = 8;

async function whole(chats: readonly ChatRequest[], writing: Writing): Promise<OperationFrame> {
  const answers = await inTurn(chats, writing);
  const [first] = answers;
  if (!first) throw new GatewayError('internal', 'a completion without a prompt was asked');
  const usage = answers.map((answer) => answer.usage).reduce(addUsage);
  const choices = answers.flatMap(({ body }, place) => new TextChoices(writing.asked, place, writing.ledger).of(body));
  writing.account();
  const counts = wireUsage(usage, answers.length === 1 ? first.body.usage : undefined);
  return {
    contentType: 'application/json',
    bytes: NO_BYTES,
    translated: { ...textCompletion(first.body, choices), usage: counts },
    isWhole: true,
    usage,
  };
}

const NO_BYTES = new Uint8Array(0);

/** The answers in the order of their prompts. One that fails ends the others. */
async function inTurn(chats: readonly ChatRequest[], writing: Writing): Promise<ChatAnswer[]> {
  const answers = new Array<ChatAnswer>(chats.length);
  const underWay = new Set<AsyncIterator<Frame>>();
  const waiting = chats.entries();
  const askNext = async () => {
    for (const [place, chat] of waiting) {
      const frames = writing.ask(chat)[Symbol.asyncIterator]();
      underWay.add(frames);
      answers[place] = await chatAnswer(frames, writing);
      underWay.delete(frames);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, chats.length) }, askNext));
  } catch (thrown) {
    await Promise.allSettled([...underWay].map((frames) => frames.return?.()));
    throw thrown;
  }
  return answers;
}

interface ChatAnswer {
  readonly body: JsonObject;
  readonly usage: Usage;
}

/** A whole chat in the words of Chat Completions, whichever format it came in. */
async function chatAnswer(frames: AsyncIterator<Frame>, { codec, model }: Writing): Promise<ChatAnswer> {
  const answer = emptyResponse();
  const bytes: Uint8Array[] = [];
  for (let next = await frames.next(); !next.done; next = await frames.next()) {
    const { raw, events } = next.value;
    if (raw) bytes.push(raw.bytes);
    for (const event of events) fold(answer, event);
  }
  const { usage } = answer;
  if (bytes.length > 0) return { body: parsedObject(Buffer.concat(bytes).toString('utf8')) ?? {}, usage };
  answer.parts = answer.parts.filter((part) => part !== undefined);
  return { body: codec.encodeResponse(answer, { model, createdAtMs: Date.now() }), usage };
}

/** One stream after the other: choices of a later prompt come behind those of an earlier one. */
async function* streamed(chats: readonly ChatRequest[], writing: Writing): AsyncGenerator<OperationFrame> {
  const told = new ToldFrames();
  let usage = NO_USAGE;
  let last: JsonObject = {};
  for (const [place, chat] of chats.entries()) {
    const chunks = new ChunkReader(writing, place);
    for await (const frame of writing.ask(chat)) {
      const text = chunks.read(frame);
      for (const event of frame.events) if (event.type === 'response-end') usage = addUsage(usage, event.usage);
      writing.account();
      if (text !== '') yield told.frame(text);
    }
    // what stands in the stream as an error was its end
    if (chunks.failed) return;
    last = chunks.last ?? last;
  }
  writing.account();
  // the counts come last, in a chunk without choices (OpenAI API reference, completions)
  const end = `${eventOf({ ...textCompletion(last, []), usage: wireUsage(usage, last.usage) })}data: [DONE]\n\n`;
  yield { ...told.frame(end), usage };
}

/** Frames of an event stream: the first says what it is. */
class ToldFrames {
  #isFirst = true;

  frame(text: string): OperationFrame {
    const contentType = this.#isFirst ? { contentType: 'text/event-stream' } : undefined;
    this.#isFirst = false;
    return { ...contentType, bytes: Buffer.from(text), isConverted: true };
  }
}

/** The chunks of one prompt's chat as those of a text completion. */
class ChunkReader {
  readonly #choices: TextChoices;
  readonly #encode: ReturnType<Codec['encodeStream']>;
  readonly #reader: SseReader = createSseReader();
  /** The newest chunk. */
  last: JsonObject | undefined;
  /** Whether an error stood in place of a chunk. */
  failed = false;

  constructor({ asked, codec, model, ledger }: Writing, place: number) {
    this.#choices = new TextChoices(asked, place, ledger);
    this.#encode = codec.encodeStream({ model, createdAtMs: Date.now() });
  }

  read({ raw, events }: Frame): string {
    const bytes = raw ? raw.bytes : Buffer.from(events.map((event) => this.#encode(event)).join(''));
    return this.#reader
      .push(bytes)
      .map(({ data }) => this.#written(data))
      .join('');
  }

  #written(data: string): string {
    // [DONE] is none, nor is what only looks like a chunk: whoever reads the stream says whether it is whole
    const chunk = parsedObject(data);
    if (!chunk) return '';
    if (chunk.error !== undefined && chunk.error !== null) {
      this.failed = true;
      return `data: ${data}\n\n`;
    }
    this.last = chunk;
    const choices = this.#choices.of(chunk);
    return choices.length > 0 ? eventOf(textCompletion(chunk, choices)) : '';
  }
}

const eventOf = (chunk: JsonObject): string => `data: ${JSON.stringify(chunk)}\n\n`;
