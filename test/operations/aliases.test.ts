import { describe, expect, test } from 'vitest';
import { dialectOf, routeOf } from '../../src/http/routes.ts';

const OPENAI_SET = [
  'POST /chat/completions',
  'POST /completions',
  'POST /responses',
  'POST /responses/input_tokens',
  'POST /responses/compact',
  'GET /responses/resp_1',
  'POST /embeddings',
  'POST /images/generations',
  'POST /images/edits',
  'POST /images/variations',
  'POST /audio/speech',
  'POST /audio/transcriptions',
  'POST /audio/translations',
  'POST /rerank',
  'GET /models',
  'GET /models/openai/gpt-4o',
  'GET /files/file-1',
  'POST /batches',
];

const bases = ['/v1', '/openai/v1', '/openai'];
const aliases = ['/litellm', '/langchain', '/pydanticai'];

const at = (base: string, line: string) => {
  const [method = '', path = ''] = line.split(' ');
  return { method, path: `${base}${path}` };
};

describe.each(OPENAI_SET)('%s', (line) => {
  const { method, path } = at('/v1', line);
  const own = routeOf(method, path);

  test('is served', () => expect(own).toBeDefined());

  test.each([
    ...bases,
    ...aliases.flatMap((alias) => [`${alias}/v1`, alias, `${alias}/openai/v1`, `${alias}/openai`]),
    '/cursor/v1',
    '/cursor',
  ])('means the same below %s', (base) => {
    const there = at(base, line);
    expect(routeOf(there.method, there.path)).toEqual(own);
    expect(dialectOf(there.path)).toBe('openai-chat');
  });
});

describe.each(aliases)('below %s', (alias) => {
  test.each([
    ['POST', '/anthropic/v1/messages', 'anthropic-messages'],
    ['POST', '/anthropic/v1/messages/count_tokens', 'anthropic-messages'],
    ['GET', '/anthropic/v1/models', 'anthropic-messages'],
    ['POST', '/genai/v1beta/models/gemini/gemini-2.5-pro:generateContent', 'gemini'],
    ['POST', '/genai/v1beta/models/gemini/gemini-embedding-2:batchEmbedContents', 'gemini'],
    ['GET', '/genai/v1beta/models', 'gemini'],
    ['POST', '/cohere/v2/embed', 'openai-chat'],
    ['POST', '/cohere/v2/rerank', 'openai-chat'],
  ])('%s %s is the same route', (method, path, dialect) => {
    expect(routeOf(method, path)).toBeDefined();
    expect(routeOf(method, `${alias}${path}`)).toEqual(routeOf(method, path));
    expect(dialectOf(`${alias}${path}`)).toBe(dialect);
  });

  test('what is not served stays so', () => {
    expect(routeOf('POST', `${alias}/v1/nothing`)).toBeUndefined();
    expect(routeOf('GET', `${alias}/v1/embeddings`)).toBeUndefined();
  });
});
