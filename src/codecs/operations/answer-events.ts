import { isObject, type JsonObject } from '../../model/json.ts';
import type { OperationKind } from '../../model/operation.ts';
import type { Usage } from '../../model/usage.ts';
import { type ClientAnswer, listOf, malformed } from './translation.ts';
import type { Measured } from './usage.ts';

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

/** What an answer says of all its pictures, and its events of each. */
const OF_ALL_PICTURES = ['background', 'output_format', 'quality', 'size'] as const;

/** Each picture is complete at once: there is none in part. */
function pictures(type: string): EventsOf {
  return (told) => {
    const body = 'body' in told ? told.body : {};
    const ofAll = Object.fromEntries(OF_ALL_PICTURES.map((name) => [name, body[name]]));
    return listOf(body.data)
      .filter(isObject)
      .map((picture) => {
        const event = { type, created_at: body.created, ...ofAll, ...picture, usage: body.usage };
        return `event: ${type}\n${dataOf(event)}`;
      })
      .join('');
  };
}

/** All of the text at once, in the answer's own segments where it tells speakers apart (`diarized_json`). */
function transcript(told: ClientAnswer): string {
  const { text, segments } = 'body' in told ? told.body : { text: Buffer.from(told.bytes).toString('utf8').trimEnd() };
  if (typeof text !== 'string') throw malformed('transcript');
  const said = listOf(segments).filter((segment) => isObject(segment) && segment.type === SEGMENT);
  const usage = 'body' in told && isObject(told.body.usage) ? told.body.usage : transcriptUsage(told);
  const end = { type: 'transcript.text.done', text, ...(usage && { usage }) };
  return [{ type: 'transcript.text.delta', delta: text }, ...said.filter(isObject), end].map(dataOf).join('') + DONE;
}

const SEGMENT = 'transcript.text.segment';

/** In the words of OpenAI's transcripts; undefined where nothing was counted. */
export function transcriptUsage({ usage, seconds }: Measured): JsonObject | undefined {
  if (usage) return { type: 'tokens', ...usageOf(usage) };
  return seconds === undefined ? undefined : { type: 'duration', seconds };
}

export const DONE = 'data: [DONE]\n\n';

/** An event in OpenAI's framing. */
export const dataOf = (event: JsonObject): string => `data: ${JSON.stringify(event)}\n\n`;

const base64Of = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const usageOf = (usage: Usage | undefined): JsonObject => ({
  input_tokens: usage?.input ?? 0,
  output_tokens: usage?.output ?? 0,
  total_tokens: (usage?.input ?? 0) + (usage?.output ?? 0),
});
