import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { OperationKind } from '../../model/operation.ts';
import type { Usage } from '../../model/usage.ts';
import { type ClientAnswer, listOf } from './translation.ts';

type EventsOf = (told: ClientAnswer) => string;

/** Operations whose streams can be made of a whole answer (OpenAI API reference, streaming events of images and audio). */
const EVENTS: Readonly<Partial<Record<OperationKind, EventsOf>>> = {
  image_generation: pictures('image_generation.completed'),
  image_edit: pictures('image_edit.completed'),
  speech: (told) => ('body' in told ? '' : soundEvent(told.bytes)) + soundsEnd(told.usage),
  transcription: transcript,
};

export const hasEvents = (kind: OperationKind): boolean => EVENTS[kind] !== undefined;

/** A whole answer as the stream that a client asked for. */
export const eventsOfAnswer = (kind: OperationKind, told: ClientAnswer): string => EVENTS[kind]?.(told) ?? '';

/** A piece of sound as an event. */
export const soundEvent = (bytes: Uint8Array): string => dataOf({ type: 'speech.audio.delta', audio: base64Of(bytes) });

export const soundsEnd = (usage: Usage | undefined): string =>
  dataOf({ type: 'speech.audio.done', usage: usageOf(usage) }) + DONE;

/** Each picture is complete at once: there is none in part. */
function pictures(type: string): EventsOf {
  return (told) => {
    const body = 'body' in told ? told.body : {};
    return listOf(body.data)
      .filter(isObject)
      .map((picture) => {
        const event = { type, created_at: body.created, ...picture, usage: body.usage };
        return `event: ${type}\n${dataOf(event)}`;
      })
      .join('');
  };
}

function transcript(told: ClientAnswer): string {
  const text = 'body' in told ? textIn(told.body.text) : Buffer.from(told.bytes).toString('utf8').trimEnd();
  const end = { type: 'transcript.text.done', text, ...(told.usage && { usage: usageOf(told.usage) }) };
  return dataOf({ type: 'transcript.text.delta', delta: text }) + dataOf(end) + DONE;
}

const DONE = 'data: [DONE]\n\n';

const dataOf = (event: JsonObject): string => `data: ${JSON.stringify(event)}\n\n`;

const textIn = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');

const base64Of = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const usageOf = (usage: Usage | undefined): JsonObject => ({
  input_tokens: usage?.input ?? 0,
  output_tokens: usage?.output ?? 0,
  total_tokens: (usage?.input ?? 0) + (usage?.output ?? 0),
});
