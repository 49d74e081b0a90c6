import { expect, test } from 'vitest';
import { hidingCredentials, withoutCredentials } from '../../src/logs/credentials.ts';
import type { CodecId } from '../../src/model/content.ts';

const SECRET = 'token-of-the-caller';

const kept = (codec: CodecId, body: object): string =>
  Buffer.from(withoutCredentials(codec, Buffer.from(JSON.stringify(body)))).toString('utf8');

test.each<[CodecId, object]>([
  ['anthropic-messages', { mcp_servers: [{ type: 'url', url: 'https://m.test', authorization_token: SECRET }] }],
  ['openai-responses', { tools: [{ type: 'mcp', server_label: 'm', authorization: SECRET }] }],
  ['openai-responses', { tools: [{ type: 'mcp', server_label: 'm', headers: { 'X-Key': SECRET } }] }],
])('what a caller signs in with at its own MCP servers is not kept: %s %j', (codec, body) => {
  const text = kept(codec, { ...body, model: 'm' });
  expect(text).not.toContain(SECRET);
  expect(text).toContain('"model":"m"');
  expect(JSON.stringify({ settings: { origin: body } }, hidingCredentials)).not.toContain(SECRET);
});

test.each<[CodecId, object]>([
  ['anthropic-messages', { messages: [{ role: 'user', content: 'what is "authorization_token"?' }] }],
  ['openai-chat', { tools: [{ type: 'mcp', server_label: 'm', authorization: 'a text' }] }],
  ['openai-responses', { tools: [{ type: 'function', name: 'f', parameters: { properties: { headers: {} } } }] }],
])('a body without such a member is kept as it came, the same bytes: %s', (codec, body) => {
  const bytes = Buffer.from(JSON.stringify(body));
  expect(withoutCredentials(codec, bytes)).toBe(bytes);
});
