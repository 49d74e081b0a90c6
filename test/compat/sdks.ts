import Anthropic from '@anthropic-ai/sdk';
import { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime';
import { FunctionCallingConfigMode, type GenerateContentResponse, GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionCreateParamsNonStreaming,
} from 'openai/resources/chat/completions';
import type { CompletionUsage } from 'openai/resources/completions';
import type { Response, ResponseCreateParamsNonStreaming } from 'openai/resources/responses/responses';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { type Answer, type Failure, parsedInput, type ReadFormat } from './answers.ts';
import { askConverse } from './converse.ts';

/** A client format, spoken by the official SDK with the helper that puts a stream together. */
export type AskSdk = (model: string, stream: boolean, body?: JsonObject) => Promise<Answer | Failure>;

const HELLO = [{ role: 'user' as const, content: 'hello' }];

/** The official SDKs as clients of the gateway at `url`. */
export function sdksAt(url: string): Readonly<Record<ReadFormat, AskSdk>> {
  const quiet = { apiKey: 'any', maxRetries: 0, timeout: 60_000 };
  const openai = new OpenAI({ ...quiet, baseURL: `${url}/v1` });
  const anthropic = new Anthropic({ ...quiet, baseURL: `${url}/anthropic`, logLevel: 'off' });
  const google = new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: `${url}/genai` } });
  const bedrock = new BedrockRuntimeClient({
    region: 'us-east-1',
    endpoint: `${url}/bedrock`,
    token: { token: 'any' },
    authSchemePreference: ['httpBearerAuth'],
    maxAttempts: 1,
  });
  return {
    'bedrock-converse': (model, stream) => settled(() => askConverse(bedrock, model, stream)),
    'openai-chat': (model, stream, body) => settled(() => askChat(openai, model, stream, body)),
    'openai-responses': (model, stream, body) => settled(() => askResponses(openai, model, stream, body)),
    'anthropic-messages': (model, stream, body) => settled(() => askMessages(anthropic, model, stream, body)),
    gemini: (model, stream) => settled(() => askGemini(google, model, stream)),
  };
}

async function settled(ask: () => Promise<Answer>): Promise<Answer | Failure> {
  try {
    return await ask();
  } catch (thrown) {
    if (!(thrown instanceof Error)) throw thrown;
    return { failed: true, status: statusIn(thrown), message: thrown.message };
  }
}

/** AWS's exceptions inside streams have the status of the stream. */
function statusIn(thrown: Error): number | undefined {
  if ('status' in thrown && typeof thrown.status === 'number') return thrown.status;
  const status = isAwsError(thrown) ? thrown.$metadata.httpStatusCode : undefined;
  return status === 200 ? undefined : status;
}

const isAwsError = (thrown: Error): thrown is Error & { $metadata: { httpStatusCode?: number } } =>
  '$metadata' in thrown && isObject(thrown.$metadata);

async function askChat(client: OpenAI, model: string, stream: boolean, body?: JsonObject): Promise<Answer> {
  // a recorded body is what that vendor took
  const asked = { messages: HELLO, ...body, model } as unknown as ChatCompletionCreateParamsNonStreaming;
  if (!stream) return chatAnswer(await client.chat.completions.create({ ...asked, stream: false }));
  const streamed = { ...asked, stream: true as const, stream_options: { include_usage: true } };
  if (body) return vendorsChunks(await client.chat.completions.create(streamed));
  const runner = client.chat.completions.stream(streamed);
  // the SDK keeps only the last piece of fields that it does not know
  let reasoning = '';
  runner.on('chunk', ({ choices }) => {
    reasoning += reasoningIn(choices[0]?.delta);
  });
  const answer = chatAnswer(await runner.finalChatCompletion());
  return { ...answer, reasoning };
}

/**
 * The vendor's own bytes, chunk by chunk as the digests were made: the helper refuses what some clones write (no role,
 * empty arguments, no finish).
 */
async function vendorsChunks(chunks: AsyncIterable<ChatCompletionChunk>): Promise<Answer> {
  const calls = new Map<number, { id: string; name: string; input: string }>();
  let [text, refusal, reasoning, finish, usage]: [string, string, string, string | null, CompletionUsage | undefined] =
    ['', '', '', null, undefined];
  for await (const chunk of chunks) {
    usage = chunk.usage ?? usage;
    const choice = chunk.choices?.find(({ index }) => index === 0);
    if (!choice) continue;
    const { delta, finish_reason: word } = choice;
    finish = word ?? finish;
    text += textIn(delta?.content);
    refusal += delta?.refusal ?? '';
    reasoning += reasoningIn(delta);
    for (const { index, id, function: called } of delta?.tool_calls ?? []) {
      const call = calls.get(index) ?? { id: '', name: '', input: '' };
      calls.set(index, call);
      call.id ||= id ?? '';
      call.name ||= called?.name ?? '';
      call.input += called?.arguments ?? '';
    }
  }
  const called = [...calls.values()].map(({ input, ...call }) => ({ ...call, arguments: parsedInput(input) }));
  return { text, refusal, reasoning, finish: String(finish), calls: called, usage: chatCounts(usage) };
}

function chatAnswer({ choices, usage }: ChatCompletion): Answer {
  const [choice] = choices;
  if (!choice) throw new Error('the completion has no choice');
  const { content, refusal, tool_calls: calls } = choice.message;
  return {
    text: textIn(content),
    refusal: refusal ?? '',
    reasoning: reasoningIn(choice.message),
    // Mistral leaves the type out, and writes null for no calls
    calls: (calls ?? []).map((call) =>
      'function' in call
        ? { id: call.id, name: call.function.name, arguments: parsedInput(call.function.arguments) }
        : { id: call.id, name: call.custom.name, arguments: call.custom.input },
    ),
    finish: choice.finish_reason,
    usage: chatCounts(usage),
  };
}

const chatCounts = (usage: CompletionUsage | undefined): Answer['usage'] => ({
  input: usage?.prompt_tokens ?? 0,
  output: usage?.completion_tokens ?? 0,
  cacheRead: usage?.prompt_tokens_details?.cached_tokens ?? 0,
  reasoning: usage?.completion_tokens_details?.reasoning_tokens ?? 0,
});

/** A text, or the list of parts that Mistral writes once its models think. */
const textIn = (content: unknown): string =>
  Array.isArray(content)
    ? content.map((part) => (isObject(part) && part.type === 'text' ? String(part.text) : '')).join('')
    : String(content ?? '');

/** The two names under which clients look for thinking, and Mistral's list of parts. */
function reasoningIn(message: unknown): string {
  if (!isObject(message)) return '';
  const text = message.reasoning_content ?? message.reasoning;
  if (typeof text === 'string') return text;
  const parts = Array.isArray(message.content) ? message.content.filter(isObject) : [];
  return parts.map(({ type, thinking }) => (type === 'thinking' ? textIn(thinking) : '')).join('');
}

async function askResponses(client: OpenAI, model: string, stream: boolean, body?: JsonObject): Promise<Answer> {
  const asked = { input: 'hello', ...body, model } as unknown as ResponseCreateParamsNonStreaming;
  let last: Response | undefined;
  if (!stream) return responsesAnswer(await client.responses.create({ ...asked, stream: false }));
  if (!body) return responsesAnswer(await client.responses.stream({ ...asked, stream: true }).finalResponse());
  // the vendor's own bytes, event by event as the digests were made: the helper refuses events that it does not know
  for await (const event of await client.responses.create({ ...asked, stream: true })) {
    if ('response' in event && event.type !== 'response.created' && event.type !== 'response.in_progress') {
      last = event.response;
    }
  }
  if (!last) throw new Error('the stream held no finished response');
  return responsesAnswer(last);
}

function responsesAnswer({ output, status, incomplete_details: incomplete, usage }: Response): Answer {
  const contents = output.flatMap((item) => (item.type === 'message' ? item.content : []));
  return {
    text: contents.map((content) => (content.type === 'output_text' ? content.text : '')).join(''),
    refusal: contents.map((content) => (content.type === 'refusal' ? content.refusal : '')).join(''),
    reasoning: output
      .flatMap((item) => (item.type === 'reasoning' ? [...item.summary, ...(item.content ?? [])] : []))
      .map(({ text }) => text)
      .join(''),
    calls: output.flatMap((item) =>
      item.type === 'function_call'
        ? [{ id: item.call_id, name: item.name, arguments: parsedInput(item.arguments) }]
        : [],
    ),
    finish: incomplete?.reason ? `${status}: ${incomplete.reason}` : String(status),
    usage: {
      input: usage?.input_tokens ?? 0,
      output: usage?.output_tokens ?? 0,
      cacheRead: usage?.input_tokens_details?.cached_tokens ?? 0,
      reasoning: usage?.output_tokens_details?.reasoning_tokens ?? 0,
    },
  };
}

async function askMessages(client: Anthropic, model: string, stream: boolean, body?: JsonObject): Promise<Answer> {
  const asked = { max_tokens: 512, messages: HELLO, ...body, model } as Anthropic.MessageCreateParamsNonStreaming;
  if (!stream) return messagesAnswer(await client.messages.create({ ...asked, stream: false }));
  return messagesAnswer(await client.messages.stream({ ...asked, stream: true }).finalMessage());
}

function messagesAnswer({ content, stop_reason: finish, usage }: Anthropic.Message): Answer {
  const cacheRead = usage.cache_read_input_tokens ?? 0;
  return {
    text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    refusal: '',
    reasoning: content.map((block) => (block.type === 'thinking' ? block.thinking : '')).join(''),
    calls: content.flatMap((block) =>
      block.type === 'tool_use' ? [{ id: block.id, name: block.name, arguments: block.input }] : [],
    ),
    finish: String(finish),
    usage: {
      // input_tokens leaves cached tokens out (Anthropic Messages API, usage)
      input: usage.input_tokens + cacheRead + (usage.cache_creation_input_tokens ?? 0),
      output: usage.output_tokens,
      cacheRead,
    },
  };
}

async function askGemini(client: GoogleGenAI, model: string, stream: boolean): Promise<Answer> {
  const toolConfig = { functionCallingConfig: { mode: FunctionCallingConfigMode.AUTO } };
  const asked = { model, contents: 'hello', config: { toolConfig } };
  if (!stream) return geminiAnswer([await client.models.generateContent(asked)]);
  const chunks: GenerateContentResponse[] = [];
  for await (const chunk of await client.models.generateContentStream(asked)) chunks.push(chunk);
  return geminiAnswer(chunks);
}

function geminiAnswer(chunks: readonly GenerateContentResponse[]): Answer {
  const parts = chunks.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? []);
  const told = <Value>(pick: (chunk: GenerateContentResponse) => Value | undefined): Value | undefined =>
    chunks.map(pick).findLast((value) => value !== undefined);
  const usage = told(({ usageMetadata }) => usageMetadata);
  const reasoning = usage?.thoughtsTokenCount ?? 0;
  const blocked = told(({ promptFeedback }) => promptFeedback?.blockReason);
  return {
    text: parts.map(({ text, thought }) => (thought ? '' : (text ?? ''))).join(''),
    refusal: '',
    reasoning: parts.map(({ text, thought }) => (thought ? (text ?? '') : '')).join(''),
    calls: parts.flatMap(({ functionCall: call }) =>
      call ? [{ id: call.id ?? '', name: call.name ?? '', arguments: call.args ?? {} }] : [],
    ),
    finish: String(told(({ candidates }) => candidates?.[0]?.finishReason) ?? blocked ?? ''),
    usage: {
      input: usage?.promptTokenCount ?? 0,
      // candidatesTokenCount leaves thoughts out (Gemini API, UsageMetadata)
      output: (usage?.candidatesTokenCount ?? 0) + reasoning,
      cacheRead: usage?.cachedContentTokenCount ?? 0,
      reasoning,
    },
  };
}
