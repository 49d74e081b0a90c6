import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { post } from '../support/gateway.ts';
import { eventsIn } from '../support/walking-clients.ts';
import { MODELS, type Scene, startScene } from './scene.ts';

/**
 * What the Open Responses specification asks of a response that OpenAI's own answers leave out at times: its tester
 * refuses an answer in which any of this is missing.
 */
const text = z.string();
const nullable = <Type extends z.ZodType>(type: Type) => type.nullable();
const seconds = z.int();

const content = z.discriminatedUnion('type', [
  z.object({ type: z.literal('output_text'), text, annotations: z.array(z.unknown()), logprobs: z.array(z.unknown()) }),
  z.object({ type: z.literal('refusal'), refusal: text }),
]);

const item = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('message'),
    id: text,
    status: text,
    role: z.literal('assistant'),
    content: z.array(content),
  }),
  z.object({ type: z.literal('function_call'), id: text, call_id: text, name: text, arguments: text, status: text }),
  z.object({
    type: z.literal('reasoning'),
    id: text,
    summary: z.array(z.object({ type: z.literal('summary_text'), text })),
    encrypted_content: text.optional(),
  }),
]);

const functionTool = z.object({
  type: z.literal('function'),
  name: text,
  description: nullable(text),
  parameters: nullable(z.record(text, z.unknown())),
  strict: nullable(z.boolean()),
});

const usage = z.object({
  input_tokens: z.int(),
  output_tokens: z.int(),
  total_tokens: z.int(),
  input_tokens_details: z.object({ cached_tokens: z.int() }),
  output_tokens_details: z.object({ reasoning_tokens: z.int() }),
});

const response = z.object({
  id: text,
  object: z.literal('response'),
  created_at: seconds,
  completed_at: nullable(seconds),
  status: z.enum(['in_progress', 'completed', 'incomplete', 'failed']),
  incomplete_details: nullable(z.object({ reason: text })),
  model: text,
  previous_response_id: nullable(text),
  instructions: nullable(text),
  output: z.array(item),
  error: nullable(z.object({ code: text, message: text })),
  tools: z.array(functionTool),
  tool_choice: z.union([text, z.object({ type: text })]),
  truncation: z.enum(['auto', 'disabled']),
  parallel_tool_calls: z.boolean(),
  text: z.object({ format: z.object({ type: text }) }),
  top_p: z.number(),
  presence_penalty: z.number(),
  frequency_penalty: z.number(),
  top_logprobs: z.int(),
  temperature: z.number(),
  reasoning: nullable(z.object({ effort: nullable(text), summary: nullable(text) })),
  usage: nullable(usage),
  max_output_tokens: nullable(z.int()),
  max_tool_calls: nullable(z.int()),
  store: z.boolean(),
  background: z.boolean(),
  service_tier: text,
  metadata: z.record(text, text),
  safety_identifier: nullable(text),
  prompt_cache_key: nullable(text),
});

const whole = z.object({ response });
const at = z.object({ item_id: text, output_index: z.int() });
const itemEvent = z.object({ output_index: z.int(), item });

/** The members of every event beside its type and number. */
const EVENTS: Readonly<Record<string, z.ZodType>> = {
  'response.created': whole,
  'response.in_progress': whole,
  'response.completed': whole,
  'response.output_item.added': itemEvent,
  'response.output_item.done': itemEvent,
  'response.content_part.added': at.extend({ content_index: z.int(), part: content }),
  'response.content_part.done': at.extend({ content_index: z.int(), part: content }),
  'response.output_text.delta': at.extend({ content_index: z.int(), delta: text, logprobs: z.array(z.unknown()) }),
  'response.output_text.done': at.extend({ content_index: z.int(), text, logprobs: z.array(z.unknown()) }),
  'response.function_call_arguments.delta': at.extend({ delta: text }),
  'response.function_call_arguments.done': at.extend({ arguments: text }),
  'response.reasoning_summary_part.added': at.extend({ summary_index: z.int() }),
  'response.reasoning_summary_text.delta': at.extend({ summary_index: z.int(), delta: text }),
  'response.reasoning_summary_text.done': at.extend({ summary_index: z.int(), text }),
  'response.reasoning_summary_part.done': at.extend({ summary_index: z.int() }),
};

const message = (role: string, words: string) => ({ type: 'message', role, content: words });
const tool = { type: 'function', name: 'get_weather', parameters: { type: 'object', properties: {} } };
const DOT = 'data:image/png;base64,iVBORw0KGgo=';

const ASKED: readonly (readonly [string, object, outputs: string])[] = [
  ['a text', { input: [message('user', 'Say hello.')] }, 'message'],
  ['a system prompt', { input: [message('system', 'Be brief.'), message('user', 'Say hello.')] }, 'message'],
  ['instructions', { input: 'Say hello.', instructions: 'Be brief.', temperature: 1 }, 'message'],
  ['a tool', { input: [message('user', 'How is the weather?')], tools: [tool] }, 'function_call'],
  [
    'a picture',
    {
      input: [
        {
          type: 'message',
          role: 'user',
          content: [
            { type: 'input_text', text: 'What is this?' },
            { type: 'input_image', image_url: DOT },
          ],
        },
      ],
    },
    'message',
  ],
  [
    'several turns',
    { input: [message('user', 'I am Ann.'), message('assistant', 'Hello Ann.'), message('user', 'Who am I?')] },
    'message',
  ],
];

let scene: Scene;
beforeAll(async () => {
  scene = await startScene();
  scene.says(({ tools }) =>
    tools.includes('get_weather')
      ? { thinking: 'I must look.', text: 'Let me see.', calls: [{ name: 'get_weather', input: { city: 'Oslo' } }] }
      : { thinking: 'Hm.', text: 'Hello there.' },
  );
});
afterAll(() => scene.close());

// OpenAI's own answers travel as they come
describe.each(MODELS.filter((model) => !model.startsWith('openai/')))('an answer of %s names every member', (model) => {
  test.each(ASKED)('to %s', async (_what, body, kind) => {
    const answer = await post(`${scene.gateway.url}/v1/responses`, { model, ...body });
    const told = response.parse(await answer.json());
    expect(told.status).toBe('completed');
    expect(told.output.map(({ type }) => type)).toContain(kind);
    expect(told.usage).toMatchObject({ input_tokens: 100, output_tokens: 20 });
  });

  test.each(ASKED)('streamed, to %s', async (_what, body, kind) => {
    const answer = await post(`${scene.gateway.url}/v1/responses`, { model, stream: true, ...body });
    const events = eventsIn(await answer.text());
    for (const { type, ...event } of events) {
      const members = EVENTS[String(type)];
      expect(members, `the event ${type}`).toBeDefined();
      expect(members?.safeParse(event).error?.issues, `${type}`).toBeUndefined();
    }
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
    const last = whole.parse(events.at(-1));
    expect(last.response.output.map(({ type }) => type)).toContain(kind);
  });
});
