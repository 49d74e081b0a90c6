import { expect, test } from 'vitest';
import { notServed } from '../../src/http/not-served.ts';

test.each([
  ['GET', '/v1/messages', 'anthropic-messages', 'POST'],
  ['GET', '/openai/v1/embeddings', 'openai-chat', 'POST'],
  ['PUT', '/openai/responses/input_tokens', 'openai-responses', 'POST'],
  ['POST', '/anthropic/v1/models', 'anthropic-messages', 'GET'],
  ['POST', '/v1/models/openai/gpt-4o', 'openai-chat', 'GET'],
  ['GET', '/genai/v1beta/models/openai/gpt-4o:generateContent', 'gemini', 'POST'],
  ['POST', '/genai/v1beta/models', 'gemini', 'GET'],
  ['GET', '/bedrock/model/openai%2Fgpt-4o/converse', 'bedrock-converse', 'POST'],
  ['GET', '/litellm/v1/messages', 'anthropic-messages', 'POST'],
  ['GET', '/openai/openai/deployments/gpt-4o/chat/completions', 'openai-chat', 'POST'],
  ['PATCH', '/v1/responses/resp_1', 'openai-chat', 'GET, DELETE'],
  ['GET', '/v1/mcp/tool/execute', 'openai-chat', 'POST'],
])('%s %s is a 405 in the words of %s', (method, path, codec, allow) => {
  const refused = notServed(method, path);
  expect(refused).toMatchObject({ codec, allow, error: { details: { status: 405 } } });
  expect(refused.error.message).toBe(`${method} is not allowed at ${path}; send ${allow}`);
});

test.each([
  ['GET', '/v1/v1/chat/completions', 'did you mean POST /v1/chat/completions?'],
  ['POST', '/v1/models/gpt-4o/chat/completions', 'did you mean POST /v1/chat/completions?'],
  ['POST', '/genai/v1beta/models/x/y:generateAnswer', 'served are POST /v1/chat/completions, '],
  ['POST', '/bedrock/model/x/dance', 'served are POST /v1/chat/completions, '],
])('%s %s is a 404 that says %s', (method, path, advice) => {
  const { error, allow } = notServed(method, path);
  expect([error.kind, allow]).toEqual(['not-found', undefined]);
  expect(error.message).toContain(`${method} ${path} is not served here; ${advice}`);
});

test.each(['gemini', 'openai/gpt-4o', 'ollama/llama3:8b'])('the model %s is asked for by its name', (name) => {
  expect(notServed('PUT', `/genai/v1beta/models/${name}`).allow).toBe('GET');
});
