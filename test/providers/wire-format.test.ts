import { describe, expect, test } from 'vitest';
import { codecs } from '../../src/codecs/index.ts';
import type { CodecId } from '../../src/model/content.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { type CompatRules, USUAL_COMPAT } from '../../src/providers/compat.ts';
import { createModelKnowledge } from '../../src/providers/models/traits.ts';
import { outgoing } from '../../src/providers/outgoing.ts';
import { type Deployment, isScripted } from '../../src/providers/provider.ts';
import { ReasoningVault } from '../../src/vault/vault.ts';
import { contextOf, providerAt, requestOf } from './scene.ts';

const models = createModelKnowledge({
  'sheet-only': { mode: 'responses' },
  'sheet-tools': { supports_reasoning_with_tool_calls: false },
});

function deploymentOf(name: string, more: object = {}): Deployment {
  const { deployment } = providerAt(name, 'http://127.0.0.1:1', {}, more);
  if (isScripted(deployment)) throw new Error(`${name} is a script`);
  return deployment;
}

const OPENAI = deploymentOf('openai');
const OWN_SERVER = deploymentOf('mine', { custom_provider_config: { base_provider_type: 'openai' } });
const OWN_WITH_RESPONSES = deploymentOf('mine', {
  custom_provider_config: {
    base_provider_type: 'openai',
    allowed_requests: { chat_completion: true, responses: true },
  },
});

function sent(deployment: Deployment, dialect: CodecId, body: JsonObject, rules: Partial<CompatRules> = {}) {
  const context = contextOf(dialect);
  const options = { codecs, vault: new ReasoningVault(), models, compat: { ...USUAL_COMPAT, ...rules } };
  const { codec, passThrough } = outgoing(options, deployment, requestOf(dialect, body), String(body.model), context);
  return { wire: codec.id, passThrough, converted: context.trace.convertedTo };
}

const messages = [{ role: 'user', content: 'Hi' }];
const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } }];
const chat = (model: string, more: JsonObject = {}): JsonObject => ({ model, messages, ...more });

describe('a client of Chat Completions', () => {
  const verbatim = { wire: 'openai-chat', passThrough: true, converted: undefined };
  const converted = { wire: 'openai-responses', passThrough: false, converted: 'responses' };
  const reasoning = { tools, reasoning_effort: 'high' };

  test.each<[what: string, deployment: Deployment, body: JsonObject, expected: object]>([
    ['gpt-4o', OPENAI, chat('gpt-4o', { tools }), verbatim],
    ['gpt-5', OPENAI, chat('gpt-5', reasoning), verbatim],
    ['gpt-5-pro', OPENAI, chat('gpt-5-pro'), converted],
    ['gpt-5-codex', OPENAI, chat('gpt-5-codex', { tools }), converted],
    ['o3-pro', OPENAI, chat('o3-pro'), converted],
    ['gpt-5-pro at Azure', deploymentOf('azure'), chat('gpt-5-pro'), converted],
    ['DeepSeek at Azure', deploymentOf('azure'), chat('DeepSeek-V3.1'), verbatim],
    ['gpt-5-pro at a server of chats', OWN_SERVER, chat('gpt-5-pro'), verbatim],
    ['gpt-5-pro at a server of both', OWN_WITH_RESPONSES, chat('gpt-5-pro'), converted],
    ['gpt-5.4 without tools', OPENAI, chat('gpt-5.4', { reasoning_effort: 'high' }), verbatim],
    ['gpt-5.4 with tools that is not asked to reason', OPENAI, chat('gpt-5.4', { tools }), verbatim],
    ['gpt-5.4 with tools and reasoning', OPENAI, chat('gpt-5.4', reasoning), converted],
    ['gpt-5.6 with tools, which reasons by itself', OPENAI, chat('gpt-5.6-terra', { tools }), converted],
    ['gpt-5.6 told not to', OPENAI, chat('gpt-5.6-terra', { tools, reasoning_effort: 'none' }), verbatim],
    ['what a sheet says is served there only', OPENAI, chat('sheet-only'), converted],
    ['what a sheet says of reasoning', OPENAI, chat('sheet-tools', reasoning), converted],
  ])('%s', (_what, deployment, body, expected) => {
    expect(sent(deployment, 'openai-chat', body)).toEqual(expected);
  });

  test('a stream is told as one', () => {
    expect(sent(OPENAI, 'openai-chat', chat('o3-pro', { stream: true })).converted).toBe('responses_stream');
  });

  test.each<[Partial<CompatRules>, wireOfPro: string, wireOfTools: string]>([
    [{ convertsChats: false, convertsReasoning: false }, 'openai-chat', 'openai-chat'],
    [{ convertsChats: true, convertsReasoning: false }, 'openai-responses', 'openai-chat'],
    [{ convertsChats: false, convertsReasoning: true }, 'openai-responses', 'openai-responses'],
  ])('%j', (compat, wireOfPro, wireOfTools) => {
    expect(sent(OPENAI, 'openai-chat', chat('gpt-5-pro'), compat).wire).toBe(wireOfPro);
    expect(sent(OPENAI, 'openai-chat', chat('gpt-5.4', reasoning), compat).wire).toBe(wireOfTools);
  });
});

describe('DeepSeek at Azure', () => {
  const body = { model: 'DeepSeek-V3.1', input: 'Hi' };

  test.each<[Partial<CompatRules>, expected: object]>([
    [{}, { wire: 'openai-responses', passThrough: true, converted: undefined }],
    [{ convertsAzureDeepSeek: true }, { wire: 'openai-chat', passThrough: false, converted: 'chat_completion' }],
  ])('%j', (rules, expected) => {
    expect(sent(deploymentOf('azure'), 'openai-responses', body, rules)).toEqual(expected);
  });

  test('no other model, no other provider', () => {
    const rules = { convertsAzureDeepSeek: true };
    expect(sent(deploymentOf('azure'), 'openai-responses', { ...body, model: 'gpt-4o' }, rules).passThrough).toBe(true);
    expect(sent(OPENAI, 'openai-responses', body, rules).passThrough).toBe(true);
  });
});

describe('a client of another format', () => {
  const messagesBody = (model: string): JsonObject => ({ model, messages, max_tokens: 100 });

  test.each<[model: string, deployment: Deployment, wire: CodecId]>([
    ['gpt-4o', OPENAI, 'openai-chat'],
    ['gpt-5', OPENAI, 'openai-responses'],
    ['gpt-5-pro', OPENAI, 'openai-responses'],
    ['o4-mini', deploymentOf('azure'), 'openai-responses'],
    ['gpt-5', OWN_SERVER, 'openai-chat'],
    ['openai/gpt-5', deploymentOf('openrouter'), 'openai-chat'],
  ])('%s', (model, deployment, wire) => {
    expect(sent(deployment, 'anthropic-messages', messagesBody(model))).toEqual({
      wire,
      passThrough: false,
      converted: undefined,
    });
  });
});
