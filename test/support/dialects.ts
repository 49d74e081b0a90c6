import { expect } from 'vitest';
import { isObject, type JsonObject } from '../../src/model/json.ts';

/** A client API, as a test speaks it. */
export interface Dialect {
  readonly name: string;
  readonly path: string;
  readonly listPath: string;
  /** A request that every upstream understands. */
  question(model: string, more?: object): JsonObject;
  /** What a whole answer says. */
  textOf(body: unknown): string;
  /** The error of an answer; fails unless it has this dialect's shape. */
  errorOf(body: unknown): { type: string; message: string };
  /** The error that ended a stream; undefined when none did. */
  streamErrorOf(text: string): { type: string; message: string } | undefined;
  /** Whether a stream ended as one that is complete. */
  endsWell(text: string): boolean;
}

const objectOf = (value: unknown): JsonObject => {
  if (isObject(value)) return value;
  throw new Error(`no JSON object: ${JSON.stringify(value)}`);
};

const eventsOf = (text: string): JsonObject[] =>
  [...text.matchAll(/^data: (\{.*\})$/gm)].map(([, data = '']) => objectOf(JSON.parse(data)));

function errorMembers(value: unknown): { type: string; message: string } {
  const { type, message } = objectOf(value);
  expect([typeof type, typeof message]).toEqual(['string', 'string']);
  return { type: String(type), message: String(message) };
}

export const chat: Dialect = {
  name: 'Chat Completions',
  path: '/v1/chat/completions',
  listPath: '/v1/models',
  question: (model, more = {}) => ({ model, messages: [{ role: 'user', content: 'hello' }], ...more }),
  textOf(body) {
    const choices = objectOf(body).choices;
    const [choice] = Array.isArray(choices) ? choices : [];
    return String(objectOf(objectOf(choice).message).content);
  },
  errorOf(body) {
    expect(Object.keys(objectOf(objectOf(body).error))).toEqual(expect.arrayContaining(['message', 'type', 'code']));
    return errorMembers(objectOf(body).error);
  },
  streamErrorOf: (text) => eventsOf(text).flatMap(({ error }) => (error ? [errorMembers(error)] : []))[0],
  endsWell: (text) => text.includes('data: [DONE]') || /"finish_reason":"\w+"/.test(text),
};

export const messages: Dialect = {
  name: 'Messages',
  path: '/anthropic/v1/messages',
  listPath: '/anthropic/v1/models',
  question: (model, more = {}) => ({
    model,
    max_tokens: 100,
    messages: [{ role: 'user', content: 'hello' }],
    ...more,
  }),
  textOf(body) {
    const { content } = objectOf(body);
    const blocks = Array.isArray(content) ? content.map(objectOf) : [];
    return blocks.map((block) => (block.type === 'text' ? String(block.text) : '')).join('');
  },
  errorOf(body) {
    expect(objectOf(body).type).toBe('error');
    return errorMembers(objectOf(body).error);
  },
  streamErrorOf: (text) =>
    eventsOf(text).flatMap(({ type, error }) => (type === 'error' ? [errorMembers(error)] : []))[0],
  endsWell: (text) => text.includes('"type":"message_stop"') || text.includes('"type": "message_stop"'),
};

export const dialects: readonly Dialect[] = [chat, messages];
