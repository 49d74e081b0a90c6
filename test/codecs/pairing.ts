import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import type { Codec } from '../../src/codecs/codec.ts';
import { codecs } from '../../src/codecs/index.ts';
import { createSseReader } from '../../src/codecs/sse.ts';
import type { Part } from '../../src/model/content.ts';
import type { StreamEvent } from '../../src/model/event.ts';
import { isObject, type JsonObject, type JsonValue } from '../../src/model/json.ts';
import type { Loss } from '../../src/model/loss.ts';
import type { ChatRequest } from '../../src/model/request.ts';
import { type ChatResponse, eventsOf } from '../../src/model/response.ts';
import type { Recording } from '../support/recordings.ts';

const chat = codecs['openai-chat'];
const messages = codecs['anthropic-messages'];

export function eventsIn(codec: Codec, { response }: Pick<Recording, 'response'>): StreamEvent[] {
  if (response.sse === undefined) return eventsOf(codec.decodeResponse(response.body ?? {}));
  const reader = createSseReader();
  const decoder = codec.decodeStream();
  const wire = [...reader.push(Buffer.from(response.sse)), ...reader.end()];
  return [...wire.flatMap((event) => decoder.push(event)), ...decoder.end()];
}

/** Every text that the model would read in these parts, media data among it. */
function saidIn(parts: readonly Part[]): string[] {
  return parts.flatMap((part): string[] => {
    switch (part.type) {
      case 'text':
        return [part.text.trim()];
      case 'media':
        return part.source.type === 'base64'
          ? [part.source.data]
          : part.source.type === 'text'
            ? [part.source.text]
            : [];
      case 'tool-call':
        return part.owner === 'provider' ? [] : [part.name, JSON.stringify(JSON.parse(part.input || '{}'))];
      case 'tool-result':
        return part.owner === 'provider' ? [] : saidIn(part.content);
      default:
        return [];
    }
  });
}

/** All strings of a body, JSON in them written in one way. */
function stringsIn(value: JsonValue | undefined): string {
  if (typeof value === 'string') return `${value}\n${asJson(value)}`;
  if (Array.isArray(value)) return value.map(stringsIn).join('\n');
  return isObject(value) ? [JSON.stringify(value), ...Object.values(value).map(stringsIn)].join('\n') : '';
}

function asJson(text: string): string {
  if (!text.startsWith('{')) return '';
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return '';
  }
}

const isBilling = (text: string): boolean => text.startsWith('x-anthropic-billing-header');

/** What the request says and the body does not. */
export function missingIn(body: JsonObject, request: ChatRequest): string[] {
  const written = stringsIn(body);
  const said = request.messages.flatMap(({ parts }) => saidIn(parts));
  return said.filter((text) => text !== '' && !isBilling(text) && !written.includes(text));
}

export const droppedIn = (losses: readonly Loss[]): number =>
  losses.filter(({ field, action }) => action === 'dropped' && field.startsWith('messages')).length;

export interface Read {
  readonly text: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: unknown }[];
  readonly finish: string | null;
}

const answering = (text: string) => async () =>
  new Response(text, { headers: { 'content-type': 'text/event-stream' } });

export async function readByOpenai(events: readonly StreamEvent[]): Promise<Read> {
  const text = events.map(chat.encodeStream({ model: 'm', createdAtMs: 1_000 })).join('');
  const client = new OpenAI({ apiKey: 'none', maxRetries: 0, fetch: answering(text) });
  const question = { model: 'm', messages: [{ role: 'user' as const, content: 'x' }] };
  const [choice] = (await client.chat.completions.stream(question).finalChatCompletion()).choices;
  const calls = (choice?.message.tool_calls ?? []).flatMap((call) =>
    call.type === 'function'
      ? [{ id: call.id, name: call.function.name, arguments: JSON.parse(call.function.arguments) }]
      : [],
  );
  const refusal = choice?.message.refusal ?? '';
  return { text: `${choice?.message.content ?? ''}${refusal}`, calls, finish: choice?.finish_reason ?? null };
}

export async function readByAnthropic(events: readonly StreamEvent[]): Promise<Read> {
  const text = events.map(messages.encodeStream({ model: 'm' })).join('');
  const client = new Anthropic({ apiKey: 'none', maxRetries: 0, fetch: answering(text) });
  const question = { model: 'm', max_tokens: 9, messages: [{ role: 'user' as const, content: 'x' }] };
  const read = await client.messages.stream(question).finalMessage();
  const calls = read.content.flatMap((block) =>
    block.type === 'tool_use' ? [{ id: block.id, name: block.name, arguments: block.input }] : [],
  );
  const said = read.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  return { text: said, calls, finish: read.stop_reason };
}

/** What a client must read, out of the events that the same client's SDK never saw. */
export function expectedOf({ parts }: ChatResponse): Pick<Read, 'text' | 'calls'> {
  return {
    text: parts.map((part) => (part.type === 'text' ? part.text : '')).join(''),
    calls: parts.flatMap((part) =>
      part.type === 'tool-call' && part.owner !== 'provider'
        ? [{ id: part.id, name: part.name, arguments: JSON.parse(part.input || '{}') }]
        : [],
    ),
  };
}
