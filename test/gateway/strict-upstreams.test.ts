import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { strictAnthropic } from '../support/strict-anthropic.ts';
import { strictDeepSeek } from '../support/strict-deepseek.ts';
import { strictGemini } from '../support/strict-gemini.ts';
import { strictGroq } from '../support/strict-groq.ts';
import { strictOpenAiChat } from '../support/strict-openai-chat.ts';
import { strictResponses } from '../support/strict-responses.ts';
import { type StrictApi, seal } from '../support/strict-server.ts';

/** What a server says to a body; undefined when it takes it. */
function problemOf({ rules }: StrictApi, model: string, body: JsonObject): string | undefined {
  const request = { path: '/', headers: {}, model, stream: body.stream === true, body };
  return rules.map(({ problem }) => problem(request)).find((problem) => problem !== undefined);
}

const long = 'x'.repeat(65);
const user = { role: 'user', content: 'Hi' };

describe('the strict Messages server', () => {
  const use = (id = 'toolu_1'): JsonObject => ({ type: 'tool_use', id, name: 'f', input: {} });
  const result = (id = 'toolu_1'): JsonObject => ({ type: 'tool_result', tool_use_id: id, content: 'x' });
  const tool = { name: 'f', input_schema: { type: 'object', properties: {} } };
  const turn = (...content: JsonObject[]): JsonObject[] => [
    user,
    { role: 'assistant', content },
    { role: 'user', content: [result()] },
  ];
  const thinking = { type: 'enabled', budget_tokens: 1_024 };
  const signed = { type: 'thinking', thinking: 'Hm.', signature: seal('anthropic', 'Hm.') };
  const say = (more: JsonObject, model = 'claude-sonnet-4-5') =>
    problemOf(strictAnthropic, model, { model, max_tokens: 4_000, messages: [user], ...more });

  test('takes a turn of tools with its own thinking', () => {
    expect(say({ tools: [tool], thinking, messages: turn(signed, use()) })).toBeUndefined();
  });

  test.each<[string, JsonObject, RegExp]>([
    ['unknown fields', { frequency_penalty: 1 }, /Extra inputs are not permitted/],
    ['a body without its limit', { max_tokens: undefined }, /Field required/],
    ['a limit above the model’s', { max_tokens: 64_001 }, /maximum allowed number of output tokens/],
    [
      'unknown fields of a block',
      { messages: [{ role: 'user', content: [{ type: 'text', text: 'x', id: 'y' }] }] },
      /Extra inputs/,
    ],
    ['a conversation that the model begins', { messages: [{ role: 'assistant', content: 'x' }] }, /first message/],
    ['empty text', { messages: [{ role: 'user', content: [{ type: 'text', text: '' }] }] }, /non-empty/],
    ['blank text', { messages: [{ role: 'user', content: [{ type: 'text', text: ' ' }] }] }, /non-whitespace/],
    [
      'a prefill with a space behind it',
      { messages: [user, { role: 'assistant', content: 'x ' }] },
      /trailing whitespace/,
    ],
    ['bad ids', { messages: turn(use('a:b')) }, /should match pattern/],
    ['an id that stands twice', { messages: turn(use(), use()) }, /must be unique/],
    [
      'calls without results',
      { messages: [user, { role: 'assistant', content: [use()] }, user] },
      /without `tool_result`/,
    ],
    ['results without calls', { messages: [{ role: 'user', content: [result()] }] }, /unexpected `tool_use_id`/],
    ['foreign signatures', { messages: turn({ ...signed, signature: 'x' }, use()) }, /Invalid `signature`/],
    ['unsigned thinking', { messages: turn({ type: 'thinking', thinking: 'x' }, use()) }, /signature: Field required/],
    ['a turn of tools without thinking', { thinking, messages: turn(use()) }, /Expected `thinking`/],
    ['a budget too small', { thinking: { type: 'enabled', budget_tokens: 9 } }, /greater than or equal to 1024/],
    ['a budget without room', { thinking: { type: 'enabled', budget_tokens: 4_000 } }, /must be greater than/],
    ['thinking with a temperature', { thinking, temperature: 0 }, /may only be set to 1/],
    ['thinking with a forced tool', { thinking, tools: [tool], tool_choice: { type: 'any' } }, /forces tool use/],
    ['adaptive thinking of old models', { thinking: { type: 'adaptive' } }, /not supported on this model/],
    ['too warm', { temperature: 1.5 }, /range/],
    ['bad names', { tools: [{ ...tool, name: 'a b' }] }, /should match pattern/],
    ['a name that stands twice', { tools: [tool, tool] }, /must be unique/],
    ['a schema without a type', { tools: [{ name: 'f', input_schema: {} }] }, /input_schema/],
    ['a choice among no tools', { tool_choice: { type: 'auto' } }, /while providing tools/],
    ['both ways to steer sampling', { temperature: 0.5, top_p: 0.5 }, /cannot both be specified/],
    [
      'images of other types',
      {
        messages: [
          {
            role: 'user',
            content: [{ type: 'image', source: { type: 'base64', media_type: 'image/heic', data: 'AAAA' } }],
          },
        ],
      },
      /media_type/,
    ],
    ['long names of people', { metadata: { user_id: 'x'.repeat(257) } }, /at most 256/],
    ['blank words to stop at', { stop_sequences: ['\n'] }, /non-whitespace/],
    [
      'five cache marks',
      { system: Array.from({ length: 5 }, () => ({ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } })) },
      /maximum of 4 blocks/,
    ],
  ])('refuses %s', (_what, more, words) => {
    expect(say(more)).toMatch(words);
  });
});

describe('the strict Chat Completions server', () => {
  const calls = (id = 'call_1'): JsonObject => ({
    role: 'assistant',
    content: null,
    tool_calls: [{ id, type: 'function', function: { name: 'f', arguments: '{}' } }],
  });
  const result = (id = 'call_1'): JsonObject => ({ role: 'tool', tool_call_id: id, content: 'x' });
  const tool = (name: string, parameters: JsonObject = { type: 'object', properties: {} }): JsonObject => ({
    type: 'function',
    function: { name, parameters },
  });
  const say = (more: JsonObject, model = 'gpt-4o') =>
    problemOf(strictOpenAiChat, model, { model, messages: [user], ...more });

  test('takes a turn of tools', () => {
    expect(say({ tools: [tool('f')], messages: [user, calls(), result()] })).toBeUndefined();
  });

  test.each<[string, JsonObject, RegExp]>([
    ['unknown fields', { top_k: 1 }, /Unrecognized request argument supplied: top_k/],
    [
      'thinking of others',
      { messages: [user, { role: 'assistant', content: 'x', reasoning_content: 'y' }] },
      /Unknown parameter/,
    ],
    ['unknown roles', { messages: [{ role: 'model', content: 'x' }] }, /Invalid value|Unknown parameter/],
    ['calls without results', { messages: [user, calls(), user] }, /did not have response messages/],
    ['results without calls', { messages: [user, result()] }, /must be a response to a preceeding message/],
    ['long names', { tools: [tool(long)] }, /maximum length 64/],
    ['bad names', { tools: [tool('a.b')] }, /does not match pattern/],
    ['a name that stands twice', { tools: [tool('f'), tool('f')] }, /stands twice/],
    ['a choice among no tools', { tool_choice: 'auto' }, /only allowed when 'tools'/],
    ['long ids', { messages: [user, calls(long), result(long)] }, /maximum length 40/],
    ['no content', { messages: [{ role: 'user', content: [] }] }, /empty array/],
    ['a limit above the model’s', { max_tokens: 32_000 }, /max_tokens is too large/],
    ['reasoning on gpt-4o', { reasoning_effort: 'low' }, /Unrecognized request argument/],
    ['bad schemas', { tools: [tool('f', { type: 'array' })] }, /Invalid schema for function/],
    ['a long user', { user: long }, /Invalid 'user'/],
    ['five words to stop at', { stop: ['a', 'b', 'c', 'd', 'e'] }, /maximum length 4/],
    ['JSON that no message asks for', { response_format: { type: 'json_object' } }, /the word 'json'/],
    ['alternatives without probabilities', { top_logprobs: 2 }, /'logprobs' must be set/],
    ['stream options without a stream', { stream_options: { include_usage: true } }, /only allowed when 'stream'/],
  ])('refuses %s', (_what, more, words) => {
    expect(say(more)).toMatch(words);
  });

  test('refuses the old name of the limit, and sampling, for models that reason', () => {
    expect(say({ max_tokens: 9 }, 'gpt-5')).toMatch(/max_completion_tokens/);
    expect(say({ temperature: 0 }, 'gpt-5')).toMatch(/Only the default/);
    expect(say({ stop: 'END' }, 'gpt-5')).toMatch(/'stop' is not supported/);
  });

  test('Groq’s knows neither OpenAI’s own fields nor the role developer, nor lists in results', () => {
    const groq = (more: JsonObject) => problemOf(strictGroq, 'llama-3.3-70b-versatile', { messages: [user], ...more });
    expect(groq({})).toBeUndefined();
    expect(groq({ store: true })).toMatch(/property 'store' is unsupported/);
    expect(groq({ messages: [{ role: 'developer', content: 'x' }] })).toMatch(/discriminator/);
    expect(groq({ messages: [user, { role: 'assistant', content: 'x', reasoning_content: 'y' }] })).toMatch(
      /is unsupported/,
    );
    expect(groq({ messages: [user, calls(), { ...result(), content: [] }] })).toMatch(/must be a string/);
    expect(groq({ reasoning_effort: 'low' })).toMatch(/not supported/);
    expect(groq({ max_completion_tokens: 64_000 })).toMatch(/less than or equal/);
  });

  test('DeepSeek’s wants texts, and its thinking back', () => {
    const deepseek = (messages: JsonObject[]) => problemOf(strictDeepSeek, 'deepseek-reasoner', { messages });
    expect(deepseek([user, { ...calls(), reasoning_content: 'x' }, result()])).toBeUndefined();
    expect(deepseek([user, calls(), result()])).toMatch(/Missing `reasoning_content`/);
    expect(deepseek([{ role: 'user', content: [{ type: 'text', text: 'x' }] }])).toMatch(/expected a string/);
    expect(deepseek([{ role: 'developer', content: 'x' }])).toMatch(/unknown variant/);
  });
});

describe('the strict Responses server', () => {
  const call = (more: JsonObject = {}): JsonObject => ({
    type: 'function_call',
    call_id: 'c',
    name: 'f',
    arguments: '{}',
    ...more,
  });
  const output = (call_id = 'c'): JsonObject => ({ type: 'function_call_output', call_id, output: 'x' });
  const reasoning = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: seal('openai', 'rs_1') };
  const say = (more: JsonObject, model = 'gpt-5') =>
    problemOf(strictResponses, model, { model, store: false, input: 'Hi', ...more });

  test('takes a turn of tools with its own reasoning', () => {
    expect(say({ input: [reasoning, call({ id: 'fc_1x0' }), output()] })).toBeUndefined();
  });

  test.each<[string, JsonObject, RegExp]>([
    ['unknown fields', { messages: [] }, /Unknown parameter: 'messages'/],
    [
      'fields of chat in items',
      { input: [call({ role: 'assistant' }), output()] },
      /Unknown parameter: 'input\[0\].role'/,
    ],
    ['calls without outputs', { input: [call()] }, /No tool output found/],
    ['outputs without calls', { input: [output()] }, /No tool call found/],
    ['long ids', { input: [call({ call_id: long }), output(long)] }, /maximum length 64/],
    ['ids of another kind', { input: [call({ id: 'call_1' }), output()] }, /begins with 'fc'/],
    [
      'reasoning without a summary',
      { input: [{ ...reasoning, summary: undefined }, call(), output()] },
      /input\[0\].summary/,
    ],
    [
      'reasoning that led to nothing',
      { input: [reasoning, { role: 'user', content: 'x' }] },
      /required following item/,
    ],
    [
      'foreign reasoning',
      { input: [{ ...reasoning, encrypted_content: 'x' }, call(), output()] },
      /could not be verified/,
    ],
    [
      'reasoning that nobody stored',
      { input: [{ ...reasoning, encrypted_content: null }, call(), output()] },
      /not found/,
    ],
    ['a call without its reasoning', { input: [call({ id: 'fc_1x0' }), output()] }, /required 'reasoning' item/],
    ['a limit below the least', { max_output_tokens: 1 }, />= 16/],
    ['JSON that no message asks for', { text: { format: { type: 'json_object' } } }, /the word 'json'/],
    ['sampling', { temperature: 0 }, /not supported with this model/],
    ['tools of chat', { tools: [{ type: 'function', function: { name: 'f' } }] }, /tools\[0\].function/],
  ])('refuses %s', (_what, more, words) => {
    expect(say(more)).toMatch(words);
  });

  test('refuses reasoning on gpt-4o', () => {
    expect(say({ reasoning: { effort: 'low' } }, 'gpt-4o')).toMatch(/reasoning.effort/);
    expect(say({ include: ['reasoning.encrypted_content'] }, 'gpt-4o')).toMatch(/Encrypted content/);
  });
});

describe('the strict Gemini server', () => {
  const asked = { role: 'user', parts: [{ text: 'Hi' }] };
  const call = (thoughtSignature?: string): JsonObject => ({
    functionCall: { name: 'f', args: {} },
    ...(thoughtSignature !== undefined && { thoughtSignature }),
  });
  const answered = { role: 'user', parts: [{ functionResponse: { name: 'f', response: {} } }] };
  const turn = (...parts: JsonObject[]): JsonObject[] => [asked, { role: 'model', parts }, answered];
  const declare = (...functionDeclarations: JsonObject[]): JsonObject => ({ tools: [{ functionDeclarations }] });
  const say = (more: JsonObject, model = 'gemini-3-pro') =>
    problemOf(strictGemini, model, { contents: [asked], ...more });

  test('takes a turn of tools with its own signature, or the marker for calls of others', () => {
    expect(say({ contents: turn(call(seal('google', 'f'))) })).toBeUndefined();
    expect(say({ contents: turn(call('skip_thought_signature_validator')) })).toBeUndefined();
    expect(say({ contents: turn(call()) }, 'gemini-2.5-pro')).toBeUndefined();
  });

  test('refuses functions beside answers in JSON before Gemini 3', () => {
    const both = { ...declare({ name: 'f' }), generationConfig: { responseMimeType: 'application/json' } };
    expect(say(both, 'gemini-2.5-pro')).toMatch(/unsupported/);
    expect(say(both)).toBeUndefined();
  });

  test.each<[string, JsonObject, RegExp]>([
    ['unknown fields', { model: 'x' }, /Unknown name "model"/],
    ['unknown fields of the config', { generationConfig: { max_tokens: 1 } }, /Unknown name "max_tokens/],
    ['other roles', { contents: [{ role: 'assistant', parts: [{ text: 'x' }] }] }, /valid role/],
    ['nothing', { contents: [] }, /not specified/],
    ['empty text', { contents: [{ role: 'user', parts: [{ text: '' }] }] }, /empty text/],
    [
      'calls without results',
      { contents: [asked, { role: 'model', parts: [call(seal('google', 'f'))] }, asked] },
      /equal to the number of function call parts/,
    ],
    ['results without calls', { contents: [asked, answered] }, /immediately after a function call/],
    ['a missing signature', { contents: turn(call()) }, /missing a thought_signature/],
    ['a foreign signature', { contents: turn(call('eHl6')) }, /Corrupted thought signature/],
    ['bad names', declare({ name: '1 2' }), /Invalid function name/],
    ['a name that stands twice', declare({ name: 'f' }, { name: 'f' }), /Duplicate function declaration/],
    [
      'keywords that it does not know',
      declare({ name: 'f', parameters: { type: 'OBJECT', properties: { a: { const: 1 } } } }),
      /parameters/,
    ],
    ['a limit above the model’s', { generationConfig: { maxOutputTokens: 70_000 } }, /maxOutputTokens/],
    ['six words to stop at', { generationConfig: { stopSequences: [...'abcdef'] } }, /stop_sequences/],
    [
      'budget and level at once',
      { generationConfig: { thinkingConfig: { thinkingBudget: 1, thinkingLevel: 'LOW' } } },
      /only one of/,
    ],
  ])('refuses %s', (_what, more, words) => {
    expect(say(more)).toMatch(words);
  });
});
