import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';

const NESTED = '['.repeat(1_000_000) + ']'.repeat(1_000_000);

let gateway: Gateway;

describe('a body that would keep everybody waiting', () => {
  beforeAll(async () => {
    const provider = keyed('http://127.0.0.1:9');
    gateway = await startGatewayHere({ providers: { groq: provider, anthropic: provider } });
  });
  afterAll(() => gateway.stop());

  const claude = 'anthropic/claude-sonnet-4-5';
  const llama = 'groq/llama-3.3-70b-versatile';

  test.each<[string, string, object, object]>([
    ['Chat Completions', '/v1/chat/completions', { model: claude, messages: [] }, { type: 'invalid_request_error' }],
    ['Messages', '/anthropic/v1/messages', { model: llama, messages: [] }, { type: 'invalid_request_error' }],
    ['Responses', '/v1/responses', { model: claude, input: 'hi' }, { type: 'invalid_request_error' }],
    ['Gemini', `/genai/v1beta/models/${llama}:generateContent`, { contents: [] }, { status: 'INVALID_ARGUMENT' }],
  ])('is refused in the words of %s', async (_dialect, path, question, shape) => {
    const body = JSON.stringify({ ...question, zz: 0 }).replace('"zz":0', () => `"zz":${NESTED}`);
    const answer = await post(`${gateway.url}${path}`, body);
    expect(answer.status).toBe(400);
    const message = expect.stringMatching(/nests deeper than 512 levels.*send it flatter/);
    expect(await answer.json()).toMatchObject({ error: { ...shape, message } });
  });
});
