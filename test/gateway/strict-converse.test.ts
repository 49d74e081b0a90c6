import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codecs } from '../../src/codecs/index.ts';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import type { ToolChoice } from '../../src/model/request.ts';
import { askAs, type Capture, capturesIn, said } from '../support/agent-captures.ts';
import { type Gateway, keyed, startGatewayHere } from '../support/gateway.ts';
import { shared, sharedPath } from '../support/shared.ts';
import { strictConverse } from '../support/strict-converse.ts';
import { firstProblem, objectOf, type StrictUpstream, startStrict } from '../support/strict-server.ts';

/** Models that Converse serves. Claude is asked over its own API on Bedrock, unless the client speaks Converse. */
const MODELS = [
  'amazon.nova-pro-v1:0',
  'amazon.nova-2-lite-v1:0',
  'meta.llama3-3-70b-instruct-v1:0',
  'openai.gpt-oss-120b-1:0',
];
const CLAUDES = ['anthropic.claude-sonnet-4-5-20250929-v1:0', 'anthropic.claude-3-5-sonnet-20240620-v1:0'];

const CODECS = { 'claude-code': 'anthropic-messages', codex: 'openai-responses', 'gemini-cli': 'gemini' } as const;

/** The body that a Claude on Converse would be sent for a capture. */
function bodyFor({ client, body }: Capture, model: string): JsonObject {
  const decoded = codecs[CODECS[client]].decodeRequest(body);
  const asked = { model: `bedrock/${model}`, stream: true, fallbacks: [], untouched: false, ...decoded };
  return codecs['bedrock-converse'].encodeRequest(asked, { model, stream: true }).body;
}

function takesEveryCapture(captures: readonly Capture[]): void {
  let upstream: StrictUpstream;
  let gateway: Gateway;
  beforeAll(async () => {
    upstream = await startStrict(strictConverse, () => ({ text: 'Here it is.' }));
    const bedrock = keyed(upstream.url);
    gateway = await startGatewayHere({
      client: { enable_logging: false },
      providers: {
        bedrock: { ...bedrock, keys: [{ ...bedrock.keys[0], bedrock_key_config: { region: 'us-east-1' } }] },
      },
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.close();
  });

  for (const model of MODELS) {
    test.each(captures)(`${model} takes $client $name`, async (capture) => {
      const before = upstream.accepted.length;
      const answer = await askAs(gateway.url, capture, `bedrock/${model}`);
      const text = await answer.text();
      expect([answer.status, upstream.refused.splice(0), answer.ok ? '' : text]).toEqual([200, [], '']);
      expect(upstream.accepted.length).toBe(before + 1);
      expect(said(text)).toContain('Here it is.');
    });
  }

  for (const model of CLAUDES) {
    test.each(captures)(`${model} would take $client $name over Converse`, (capture) => {
      const request = { path: '', headers: {}, model, stream: true, body: bodyFor(capture, model) };
      expect(firstProblem(strictConverse.rules, request)).toBeUndefined();
    });
  }
}

describe('a strict Converse takes what coding agents send', () => {
  takesEveryCapture(capturesIn(resolve(import.meta.dirname, '../fixtures/clients')));
});

describe.runIf(shared)('a strict Converse takes every captured request', () => {
  takesEveryCapture(shared ? capturesIn(sharedPath('captures')) : []);
});

describe('a choice of tools', () => {
  const decoded = codecs['openai-chat'].decodeRequest({
    messages: [{ role: 'user', content: 'hi' }],
    tools: ['f', 'g'].map((name) => ({ type: 'function', function: { name } })),
  });
  const llama = 'us.meta.llama3-3-70b-instruct-v1:0';

  test.each<[string, ToolChoice, unknown, number]>([
    [llama, { type: 'auto' }, undefined, 0],
    [llama, { type: 'required' }, undefined, 1],
    [llama, { type: 'tool', name: 'f' }, undefined, 1],
    ['cohere.command-r-plus-v1:0', { type: 'required' }, undefined, 1],
    ['mistral.mistral-large-2407-v1:0', { type: 'required' }, { any: {} }, 0],
    ['mistral.mistral-large-2407-v1:0', { type: 'tool', name: 'f' }, { any: {} }, 1],
    ['amazon.nova-pro-v1:0', { type: 'tool', name: 'f' }, { tool: { name: 'f' } }, 0],
    ['arn:aws:bedrock:eu-west-1:1:application-inference-profile/x', { type: 'required' }, { any: {} }, 0],
  ])('is told to %s as far as it knows one: %j', (model, toolChoice, written, losses) => {
    const asked = { model: `bedrock/${model}`, stream: false, fallbacks: [], untouched: false, ...decoded, toolChoice };
    const encoded = codecs['bedrock-converse'].encodeRequest(asked, { model, stream: false });
    expect(objectOf(encoded.body.toolConfig).toolChoice).toEqual(written);
    expect(encoded.losses.filter(({ field }) => field === 'toolConfig.toolChoice')).toHaveLength(losses);
    const request = { path: '', headers: {}, model, stream: false, body: encoded.body };
    expect(firstProblem(strictConverse.rules, request)).toBeUndefined();
  });
});

const call = { toolUse: { toolUseId: 'a', name: 'f', input: {} } };
const result = { toolResult: { toolUseId: 'a', content: [{ text: 'r' }] } };
const toolConfig = { tools: [{ toolSpec: { name: 'f', inputSchema: { json: { type: 'object' } } } }] };
const user = (...content: object[]) => ({ role: 'user', content: content.length > 0 ? content : [{ text: 'hi' }] });
const assistant = (...content: object[]) => ({ role: 'assistant', content });

describe('the strict Converse refuses what Bedrock refuses', () => {
  test.each<[string, object, RegExp]>([
    ['a field that it does not know', { messages: [user()], stream: true }, /extraneous key \[stream\]/],
    ['a conversation that the assistant begins', { messages: [assistant({ text: 'a' })] }, /must start with a user/],
    ['two turns of one role', { messages: [user(), user()] }, /must alternate/],
    ['blank text', { messages: [user({ text: ' \n' })] }, /is blank/],
    ['a call that nobody answers', { messages: [user(), assistant(call), user()], toolConfig }, /Expected toolResult/],
    ['a result of no call', { messages: [user(result)], toolConfig }, /exceeds the number of toolUse/],
    ['calls without tools', { messages: [user(), assistant(call), user(result)] }, /toolConfig field must be defined/],
    ['a forced tool', { messages: [user()], toolConfig: { ...toolConfig, toolChoice: { any: {} } } }, /toolChoice.any/],
    ['hot sampling', { messages: [user()], inferenceConfig: { temperature: 2 } }, /temperature/],
    ['a picture of another format', { messages: [user({ image: { format: 'bmp', source: { bytes: '' } } })] }, /bmp/],
    ['thinking', { messages: [user(), assistant({ reasoningContent: {} }), user()] }, /reasoningContent/],
    ['cache points', { messages: [user({ text: 'a' }, { cachePoint: { type: 'default' } })] }, /cachePoint/],
  ])('%s', (_what, body, problem) => {
    if (!isObject(body)) throw new Error('a body is an object');
    const request = { path: '', headers: {}, model: 'meta.llama3-3-70b-instruct-v1:0', stream: false, body };
    expect(firstProblem(strictConverse.rules, request)).toMatch(problem);
  });
});
