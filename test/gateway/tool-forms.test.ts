import OpenAI from 'openai';
import type {
  ChatCompletion,
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionMessageToolCall,
} from 'openai/resources/chat/completions';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { post } from '../support/gateway.ts';
import { unaccounted } from '../support/ledger-walk.ts';
import { scriptedStrict } from '../support/scripted-strict.ts';
import { firstOf, objectOf, objectsOf, type StrictRequest, textOf } from '../support/strict-server.ts';

// Chat Completions has two more forms of tools than functions in `tools`: those that take free text (`custom`), and the
// older `functions`. OpenAI takes all of them, most servers of the same format functions only.

const strict = scriptedStrict({});
const SCHEMA = { type: 'object', properties: { at: { type: 'string' } }, required: ['at'] };

const custom: Omit<ChatCompletionCreateParamsNonStreaming, 'model'> = {
  messages: [
    { role: 'user', content: 'Mend it.' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'call_1', type: 'custom', custom: { name: 'patch', input: '*** Begin' } }],
    },
    { role: 'tool', tool_call_id: 'call_1', content: 'mended' },
  ],
  tools: [
    { type: 'custom', custom: { name: 'patch', description: 'Patches.', format: { type: 'text' } } },
    { type: 'function', function: { name: 'look', parameters: SCHEMA } },
  ],
  tool_choice: { type: 'custom', custom: { name: 'patch' } },
  user: 'kept as it came',
};

const older: Omit<ChatCompletionCreateParamsNonStreaming, 'model'> = {
  messages: [
    { role: 'user', content: 'Look.' },
    { role: 'assistant', content: null, function_call: { name: 'look', arguments: '{"at":"home"}' } },
    { role: 'function', name: 'look', content: 'nothing' },
  ],
  functions: [{ name: 'look', description: 'Looks.', parameters: SCHEMA }],
  function_call: { name: 'look' },
  user: 'kept as it came',
};

const MODELS = { groq: 'groq/llama-3.3-70b-versatile', deepseek: 'deepseek/deepseek-chat' } as const;
const PROVIDERS = Object.keys(MODELS) as (keyof typeof MODELS)[];

const client = () => new OpenAI({ apiKey: 'none', baseURL: `${strict.url}/v1`, maxRetries: 0 });

const toolNames = ({ body }: StrictRequest): string[] =>
  objectsOf(body.tools).map((tool) => textOf(objectOf(tool.function).name));

/** What the provider was asked, which must have taken it. */
function accepted(provider: keyof typeof MODELS | 'openai'): StrictRequest {
  const { accepted: taken, refused } = strict.upstreams[provider];
  expect(refused).toEqual([]);
  const [request] = taken;
  if (!request) throw new Error('the provider was asked nothing');
  return request;
}

/** The answer of a stream, put together from its chunks as its reference says. */
async function streamed(asked: Omit<ChatCompletionCreateParamsNonStreaming, 'model'>, model: string) {
  const calls: ChatCompletionMessageToolCall[] = [];
  const call = { name: '', arguments: '' };
  let finish: string | null = null;
  for await (const { choices } of await client().chat.completions.create({ ...asked, model, stream: true })) {
    const [choice] = choices;
    if (!choice) continue;
    call.name += choice.delta.function_call?.name ?? '';
    call.arguments += choice.delta.function_call?.arguments ?? '';
    // the SDK's types know no custom calls in streams
    for (const { index: _, ...more } of choice.delta.tool_calls ?? [])
      calls.push(more as ChatCompletionMessageToolCall);
    finish = choice.finish_reason ?? finish;
  }
  return { calls, call, finish };
}

const whole = async (asked: Omit<ChatCompletionCreateParamsNonStreaming, 'model'>, model: string) => {
  const answer: ChatCompletion = await client().chat.completions.create({ ...asked, model });
  const [choice] = answer.choices;
  if (!choice) throw new Error('the answer is empty');
  return choice;
};

describe.each(PROVIDERS)('a tool that takes free text, at %s', (provider) => {
  const called = (request: StrictRequest) => {
    const [name = ''] = toolNames(request);
    const [, , answered] = objectsOf(request.body.messages);
    expect(objectsOf(request.body.messages)[1]).toMatchObject({
      tool_calls: [
        { id: 'call_1', type: 'function', function: { name, arguments: JSON.stringify({ input: '*** Begin' }) } },
      ],
    });
    expect(answered).toMatchObject({ role: 'tool', tool_call_id: 'call_1', content: 'mended' });
    expect(request.body).toMatchObject({
      tools: [
        { type: 'function', function: { name, description: 'Patches.' } },
        { type: 'function', function: { name: 'look' } },
      ],
      tool_choice: { type: 'function', function: { name } },
      user: 'kept as it came',
    });
    return name;
  };

  /** The wire's name for it, which is the same in each request. */
  const wireName = async () => {
    strict.script = [{ text: 'done' }];
    await whole(custom, MODELS[provider]);
    const name = called(accepted(provider));
    strict.upstreams[provider].accepted.length = 0;
    return name;
  };

  test('is told as a function, and its calls come back with their text', async () => {
    const name = await wireName();
    strict.script = [{ calls: [{ name, input: { input: '*** End' } }] }];
    const { message, finish_reason: reason } = await whole(custom, MODELS[provider]);
    called(accepted(provider));
    expect(reason).toBe('tool_calls');
    expect(message.tool_calls).toMatchObject([{ type: 'custom', custom: { name: 'patch', input: '*** End' } }]);
  });

  test('is told as a function, and its calls come back with their text in a stream', async () => {
    const name = await wireName();
    strict.script = [{ calls: [{ name, input: { input: '*** End' } }] }];
    const { calls, finish } = await streamed(custom, MODELS[provider]);
    called(accepted(provider));
    expect([calls, finish]).toMatchObject([
      [{ type: 'custom', custom: { name: 'patch', input: '*** End' } }],
      'tool_calls',
    ]);
  });
});

describe.each(PROVIDERS)('the older functions, at %s', (provider) => {
  const asTools = ({ body }: StrictRequest) => {
    expect(body.functions ?? body.function_call).toBeUndefined();
    const [, call, result] = objectsOf(body.messages);
    const id = textOf(objectsOf(call?.tool_calls)[0]?.id);
    expect(id).not.toBe('');
    expect(call).toMatchObject({ tool_calls: [{ function: { name: 'look', arguments: '{"at":"home"}' } }] });
    expect(result).toEqual({ role: 'tool', tool_call_id: id, content: 'nothing' });
    expect(body).toMatchObject({
      tools: [{ type: 'function', function: { name: 'look', description: 'Looks.' } }],
      tool_choice: { type: 'function', function: { name: 'look' } },
      user: 'kept as it came',
    });
  };

  test('are told as tools, and a call comes back as function_call', async () => {
    strict.script = [{ calls: [{ name: 'look', input: { at: 'sea' } }] }];
    const { message, finish_reason: reason } = await whole(older, MODELS[provider]);
    asTools(accepted(provider));
    expect(reason).toBe('function_call');
    expect(message.function_call).toEqual({ name: 'look', arguments: '{"at":"sea"}' });
    expect(message.tool_calls).toBeUndefined();
  });

  test('are told as tools, and a call comes back as function_call in a stream', async () => {
    strict.script = [{ calls: [{ name: 'look', input: { at: 'sea' } }] }];
    const { calls, call, finish } = await streamed(older, MODELS[provider]);
    asTools(accepted(provider));
    expect({ calls, call, finish }).toEqual({
      calls: [],
      call: { name: 'look', arguments: '{"at":"sea"}' },
      finish: 'function_call',
    });
  });

  test('show the first call only, since there is room for one', async () => {
    const both = [
      { name: 'look', input: { at: 'sea' } },
      { name: 'look', input: { at: 'sky' } },
    ];
    strict.script = [{ calls: both }, { calls: both }];
    const { message } = await whole(older, MODELS[provider]);
    const { call } = await streamed(older, MODELS[provider]);
    expect([message.function_call?.arguments, call.arguments]).toEqual(['{"at":"sea"}', '{"at":"sea"}']);
  });
});

test('clients of the older functions read calls of Claude as function_call too', async () => {
  strict.script = [{ calls: [{ name: 'look', input: { at: 'sea' } }] }];
  const { message } = await whole(older, 'anthropic/claude-sonnet-4-5');
  expect(message.function_call).toEqual({ name: 'look', arguments: '{"at":"sea"}' });
});

describe.each([
  ['a tool that takes free text', custom],
  ['the older functions', older],
])('%s', (_what, asked) => {
  test('travels to OpenAI as it came', async () => {
    strict.script = [{ text: 'done' }];
    await whole(asked, 'openai/gpt-4o');
    expect(accepted('openai').body).toEqual({ ...asked, model: 'gpt-4o' });
  });

  test.each(PROVIDERS)('stands in the ledger where it is told otherwise: %s', async (provider) => {
    strict.script = [{ text: 'done' }];
    const answer = await post(`${strict.url}/v1/chat/completions`, { ...asked, model: MODELS[provider], stream: true });
    const events = (await answer.text()).split('\n\n').map((event) => event.replace(/^data: /, ''));
    const told = events.filter((event) => event.startsWith('{')).map((event) => objectOf(JSON.parse(event)));
    const losses = objectsOf(objectOf(told.findLast(({ extra_fields: fields }) => fields)?.extra_fields).losses);
    expect(losses.length).toBeGreaterThan(0);
    const { body } = accepted(provider);
    // what the client sent is JSON
    const before = { ...asked, model: MODELS[provider] } as unknown as JsonObject;
    const after = { ...body, model: MODELS[provider] };
    const silent = unaccounted(before, after, losses as unknown as Parameters<typeof unaccounted>[2]);
    expect(firstOf(silent, ({ kind, field }) => `${kind} ${field}`)).toBeUndefined();
  });
});
