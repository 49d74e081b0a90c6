import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CodecId } from '../../src/model/content.ts';
import { type Answer, json, startUpstream, type Upstream } from '../support/upstream.ts';
import { contextOf, framesFor, heard, openScene, providerAt, requestOf, type Scene } from './scene.ts';

let scene: Scene;
let upstream: Upstream;

beforeEach(async () => {
  scene = openScene();
  upstream = await startUpstream();
});

afterEach(async () => {
  await scene.close();
  await upstream.close();
});

const chat = {
  id: 'c1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-5',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 },
};
const noPath = json(
  { error: { message: 'Invalid URL (POST /v1/responses)', type: 'invalid_request_error' } },
  { status: 404 },
);
const noModel = json(
  { error: { message: 'The model `gpt-5` does not exist', code: 'model_not_found' } },
  { status: 404 },
);

const bodies: Partial<Record<CodecId, object>> = {
  'anthropic-messages': { model: 'openai/gpt-5', max_tokens: 100, messages: [{ role: 'user', content: 'hi' }] },
  'openai-responses': { model: 'openai/gpt-5', input: 'hi' },
};

/** What comes of two requests after each other, and where they went. */
async function asked(dialect: CodecId, ...answers: readonly Answer[]) {
  upstream.answers(...answers);
  const provider = providerAt('openai', upstream.url);
  const errors: unknown[] = [];
  for (let time = 0; time < 2; time++) {
    const request = requestOf(dialect, bodies[dialect] ?? {});
    const { error } = await heard(framesFor(scene, { provider, request, context: contextOf(dialect), model: 'gpt-5' }));
    errors.push(error);
  }
  return { errors, paths: upstream.requests.map(({ path }) => path) };
}

describe.each(['anthropic-messages', 'openai-responses'] as const)(
  '%s at a server without the Responses API',
  (dialect) => {
    test('is answered by a chat, and the next one asks for a chat at once', async () => {
      expect(await asked(dialect, noPath, json(chat), json(chat))).toEqual({
        errors: [undefined, undefined],
        paths: ['/v1/responses', '/v1/chat/completions', '/v1/chat/completions'],
      });
    });

    test('hears of a model that is not there', async () => {
      const missing = expect.objectContaining({ message: expect.stringContaining('does not exist') });
      expect(await asked(dialect, noModel, noModel)).toEqual({
        errors: [missing, missing],
        paths: ['/v1/responses', '/v1/responses'],
      });
    });
  },
);
