import { isObject, type JsonObject, type JsonValue, ownValue } from '../model/json.ts';
import { lookFor } from '../model/marks.ts';
import type { Quirk } from './quirks.ts';

const holdsAnswers = lookFor('"assistant"');
const holdsMedia = lookFor('"image_url"', '"input_audio"', '"file"');

/** Fields in which other models' answers carry thinking: clients send them back to whoever comes next. */
export function dropsFromHistory(reason: string, ...fields: readonly string[]): Quirk {
  const namesField = lookFor(...fields.map((field) => `"${field}"`));
  return {
    concerns: ({ bytes }) => namesField(bytes) && holdsAnswers(bytes),
    apply: (body, _model, report) => {
      const { messages } = body;
      if (!Array.isArray(messages)) return body;
      const cleaned = messages.map((message, index) => {
        if (!isObject(message) || message.role !== 'assistant') return message;
        const bare = withoutFields(message, fields);
        const calls = Array.isArray(message.tool_calls) ? message.tool_calls : [];
        const bareCalls = calls.map((call) => (isObject(call) ? withoutFields(call, fields) : call));
        const sameCalls = bareCalls.every((call, at) => call === calls[at]);
        if (bare === message && sameCalls) return message;
        report({ field: `messages[${index}]`, action: 'dropped', reason });
        return sameCalls ? bare : { ...bare, tool_calls: bareCalls };
      });
      return cleaned.every((message, index) => message === messages[index]) ? body : { ...body, messages: cleaned };
    },
  };
}

/** What OpenAI's answers say beside content and calls; its SDK hands them back with the message. */
const ANSWER_FIELDS = ['refusal', 'annotations', 'audio'] as const;
const namesAnswerField = lookFor(...ANSWER_FIELDS.map((field) => `"${field}"`));

/** Servers that take an answer of OpenAI's back only without what they do not write themselves; a refusal is what it says. */
export const takesPlainAnswers: Quirk = {
  concerns: ({ bytes }) => namesAnswerField(bytes) && holdsAnswers(bytes),
  apply: (body, _model, report) => {
    const { messages } = body;
    if (!Array.isArray(messages)) return body;
    const plain = messages.map((message, index) => {
      if (!isObject(message) || message.role !== 'assistant') return message;
      const present = ANSWER_FIELDS.filter((field) => message[field] !== undefined);
      if (present.length === 0) return message;
      const told = toldOtherwise(message);
      for (const field of present) {
        const action = told && told.field === field ? 'rewritten' : 'dropped';
        report({ field: `messages[${index}].${field}`, action, reason: 'a field of OpenAI, refused here' });
      }
      return { ...withoutFields(message, present), ...(told && { content: told.content }) };
    });
    return plain.every((message, index) => message === messages[index]) ? body : { ...body, messages: plain };
  },
};

/** What an answer refused stands behind what it said, and what it said aloud in the place of what it did not write. */
function toldOtherwise({ content, refusal, audio }: JsonObject): { field: string; content: JsonValue } | undefined {
  if (typeof refusal === 'string' && refusal !== '') {
    const isList = Array.isArray(content) && content.length > 0;
    const whole = isList ? [...content, { type: 'text', text: refusal }] : `${content ?? ''}${refusal}`;
    return { field: 'refusal', content: whole };
  }
  const words = isObject(audio) ? audio.transcript : undefined;
  return typeof words === 'string' && !content ? { field: 'audio', content: words } : undefined;
}

function withoutFields(object: JsonObject, fields: readonly string[]): JsonObject {
  if (!fields.some((field) => object[field] !== undefined)) return object;
  return Object.fromEntries(Object.entries(object).filter(([field]) => !fields.includes(field)));
}

/** Servers whose models read nothing but text: whatever else stands in a list of contents is named in its place. */
export const namesMedia: Quirk = {
  concerns: ({ bytes }) => holdsMedia(bytes),
  apply: (body, _model, report) => {
    const { messages } = body;
    if (!Array.isArray(messages)) return body;
    const named = messages.map((message, index) => {
      const given = isObject(message) ? message.content : undefined;
      if (!isObject(message) || !Array.isArray(given)) return message;
      const content = given.map((part) => (isObject(part) && part.type !== 'text' ? nameOf(part) : part));
      if (content.every((part, at) => part === given[at])) return message;
      report({ field: `messages[${index}].content`, action: 'dropped', reason: 'this model reads text only' });
      return { ...message, content };
    });
    return named.every((message, index) => message === messages[index]) ? body : { ...body, messages: named };
  },
};

const nameOf = ({ type }: JsonObject): JsonObject => ({
  type: 'text',
  text: `[${ownValue(MEDIA_NAMES, String(type)) ?? 'file'} left out: this model reads text only]`,
});

const MEDIA_NAMES: Readonly<Record<string, string>> = { image_url: 'image', input_audio: 'audio' };
