import fc from 'fast-check';
import type { CodecId } from '../../src/model/content.ts';
import type { JsonObject } from '../../src/model/json.ts';

// Requests made up at random: what clients may send in each format, and beside it fields that nobody has heard of.

/** Long enough that no value is met elsewhere by chance. */
const word = fc.stringMatching(/^[a-z]{10,14}$/);
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk';

const unknown: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.constant({}),
  word.map((value): JsonObject => ({ x_new_field: value })),
  word.map((value): JsonObject => ({ x_object: { inner: value } })),
  fc.constant<JsonObject>({ x_flag: true }),
);

/** An object of `fields` and, now and then, something that is new to us. */
const extended = (fields: fc.Arbitrary<JsonObject>): fc.Arbitrary<JsonObject> =>
  fc.tuple(fields, unknown).map(([known, more]) => ({ ...known, ...more }));

const some = (fields: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<JsonObject> =>
  fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<JsonObject>;

const schema = word.map(
  (name): JsonObject => ({
    type: 'object',
    properties: { [name]: { type: 'string', description: `what ${name} is` } },
  }),
);
const number = (max: number) => fc.integer({ min: 2, max: max * 1_000 }).map((value) => value / 1_000);

type Parts = readonly JsonObject[];

interface Turn {
  readonly said: string;
  readonly id: string;
  readonly argument: string;
  readonly result: string;
  readonly more: JsonObject;
}

const turn: fc.Arbitrary<Turn> = fc.record({ said: word, id: word, argument: word, result: word, more: unknown });

interface Wishes {
  readonly system: string;
  readonly question: Parts;
  readonly turns: readonly Turn[];
  readonly toolName: string;
  readonly tool: JsonObject;
  readonly settings: JsonObject;
}

interface Format {
  readonly text: (text: string) => JsonObject;
  readonly image: JsonObject;
  readonly tool: (name: string, description: string, schema: JsonObject) => JsonObject;
  readonly settings: fc.Arbitrary<JsonObject>;
  readonly body: (wishes: Wishes) => JsonObject;
}

const anthropic: Format = {
  text: (text) => ({ type: 'text', text }),
  image: { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
  tool: (name, description, input_schema) => ({ name, description, input_schema }),
  settings: some({
    temperature: number(1),
    top_k: fc.integer({ min: 2, max: 90 }),
    stop_sequences: fc.array(word, { minLength: 1, maxLength: 2 }),
    thinking: fc.constantFrom({ type: 'adaptive' }, { type: 'enabled', budget_tokens: 2_000, display: 'omitted' }),
    output_config: fc.constantFrom({ effort: 'high' }, { effort: 'max', task_budget: 5 }),
    metadata: word.map((user_id) => ({ user_id })),
    tool_choice: fc.constantFrom({ type: 'auto' }, { type: 'any', disable_parallel_tool_use: true }),
    context_management: fc.constant({ edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] }),
    service_tier: fc.constant('standard_only'),
  }),
  body: ({ system, question, turns, toolName, tool, settings }) => ({
    max_tokens: 9_000,
    system: [{ type: 'text', text: system, cache_control: { type: 'ephemeral' } }],
    messages: [
      { role: 'user', content: [...question] },
      ...turns.flatMap(({ said, id, argument, result, more }) => [
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: `${said} perhaps`, signature: `${said}signature` },
            { type: 'text', text: said },
            { type: 'tool_use', id, name: toolName, input: { argument }, ...more },
          ],
        },
        {
          role: 'user',
          content: [{ type: 'tool_result', tool_use_id: id, content: [{ type: 'text', text: result }], ...more }],
        },
      ]),
    ],
    tools: [tool],
    ...settings,
  }),
};

const chat: Format = {
  text: (text) => ({ type: 'text', text }),
  image: { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}`, detail: 'low' } },
  tool: (name, description, parameters) => ({ type: 'function', function: { name, description, parameters } }),
  settings: some({
    temperature: number(2),
    top_p: number(1),
    seed: fc.integer({ min: 100, max: 9_000 }),
    presence_penalty: number(2),
    stop: fc.array(word, { minLength: 1, maxLength: 3 }),
    reasoning_effort: fc.constantFrom('low', 'high', 'minimal'),
    max_completion_tokens: fc.integer({ min: 2_000, max: 40_000 }),
    user: word,
    logprobs: fc.constant(true),
    n: fc.constant(2),
    tool_choice: fc.constantFrom('auto', 'required'),
    parallel_tool_calls: fc.boolean(),
    service_tier: fc.constant('flex'),
    response_format: schema.map((given) => ({
      type: 'json_schema',
      json_schema: { name: 'answer_form', strict: true, schema: given },
    })),
  }),
  body: ({ system, question, turns, toolName, tool, settings }) => ({
    messages: [
      { role: 'system', content: system },
      { role: 'user', content: [...question] },
      ...turns.flatMap(({ said, id, argument, result, more }) => [
        {
          role: 'assistant',
          content: said,
          tool_calls: [
            { id, type: 'function', function: { name: toolName, arguments: JSON.stringify({ argument }) }, ...more },
          ],
        },
        { role: 'tool', tool_call_id: id, content: result },
      ]),
    ],
    tools: [tool],
    ...settings,
  }),
};

const responses: Format = {
  text: (text) => ({ type: 'input_text', text }),
  image: { type: 'input_image', image_url: `data:image/png;base64,${PNG}`, detail: 'high' },
  tool: (name, description, parameters) => ({ type: 'function', name, description, parameters, strict: true }),
  settings: some({
    temperature: number(2),
    max_output_tokens: fc.integer({ min: 2_000, max: 40_000 }),
    reasoning: fc.constantFrom({ effort: 'low', summary: 'concise' }, { effort: 'high' }),
    truncation: fc.constant('auto'),
    include: fc.constant(['message.output_text.logprobs']),
    metadata: word.map((trace) => ({ trace })),
    tool_choice: fc.constantFrom('auto', 'required'),
    prompt_cache_key: word,
    text: schema.map((given) => ({
      verbosity: 'low',
      format: { type: 'json_schema', name: 'answer_form', schema: given },
    })),
  }),
  body: ({ system, question, turns, toolName, tool, settings }) => ({
    instructions: system,
    input: [
      { type: 'message', role: 'user', content: [...question] },
      ...turns.flatMap(({ said, id, argument, result, more }) => [
        {
          type: 'reasoning',
          id: `rs_${id}`,
          summary: [{ type: 'summary_text', text: `${said} perhaps` }],
          encrypted_content: `${said}sealed`,
        },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: said }] },
        { type: 'function_call', call_id: id, name: toolName, arguments: JSON.stringify({ argument }), ...more },
        { type: 'function_call_output', call_id: id, output: result },
      ]),
    ],
    tools: [tool],
    ...settings,
  }),
};

const gemini: Format = {
  text: (text) => ({ text }),
  image: { inlineData: { mimeType: 'image/png', data: PNG } },
  tool: (name, description, parametersJsonSchema) => ({ name, description, parametersJsonSchema }),
  settings: some({
    safetySettings: fc.constant([{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }]),
    toolConfig: fc.constant({ functionCallingConfig: { mode: 'ANY' } }),
    labels: word.map((team) => ({ team })),
    generationConfig: some({
      temperature: number(2),
      topK: fc.integer({ min: 2, max: 90 }),
      maxOutputTokens: fc.integer({ min: 2_000, max: 40_000 }),
      stopSequences: fc.array(word, { minLength: 1, maxLength: 2 }),
      thinkingConfig: fc.constantFrom({ thinkingBudget: 3_000, includeThoughts: true }, { thinkingLevel: 'low' }),
      candidateCount: fc.constant(2),
      responseLogprobs: fc.constant(true),
    }),
  }),
  body: ({ system, question, turns, toolName, tool, settings }) => ({
    systemInstruction: { parts: [{ text: system }] },
    contents: [
      { role: 'user', parts: [...question] },
      ...turns.flatMap(({ said, id, argument, result, more }) => [
        {
          role: 'model',
          parts: [{ text: said }, { functionCall: { id, name: toolName, args: { argument } }, ...more }],
        },
        { role: 'user', parts: [{ functionResponse: { id, name: toolName, response: { output: result } } }] },
      ]),
    ],
    tools: [{ functionDeclarations: [tool] }],
    ...settings,
  }),
};

const bedrock: Format = {
  text: (text) => ({ text }),
  image: { image: { format: 'png', source: { bytes: PNG } } },
  tool: (name, description, json) => ({ toolSpec: { name, description, inputSchema: { json } } }),
  settings: some({
    inferenceConfig: some({
      temperature: number(1),
      maxTokens: fc.integer({ min: 2_000, max: 40_000 }),
      stopSequences: fc.array(word, { minLength: 1, maxLength: 2 }),
    }),
    guardrailConfig: word.map((guardrailIdentifier) => ({ guardrailIdentifier })),
    requestMetadata: word.map((team) => ({ team })),
  }),
  body: ({ system, question, turns, toolName, tool, settings }) => ({
    system: [{ text: system }],
    messages: [
      { role: 'user', content: [...question] },
      ...turns.flatMap(({ said, id, argument, result, more }) => [
        {
          role: 'assistant',
          content: [{ text: said }, { toolUse: { toolUseId: id, name: toolName, input: { argument }, ...more } }],
        },
        { role: 'user', content: [{ toolResult: { toolUseId: id, content: [{ text: result }] } }] },
      ]),
    ],
    toolConfig: { tools: [tool] },
    ...settings,
  }),
};

const BODIES: Readonly<Record<CodecId, Format>> = {
  'anthropic-messages': anthropic,
  'bedrock-converse': bedrock,
  gemini,
  'openai-chat': chat,
  'openai-responses': responses,
};

/** A request of a format: a question with an image, turns with thinking and a tool, settings, and unknown fields anywhere. */
export function anyBody(format: CodecId): fc.Arbitrary<JsonObject> {
  const { text, image, tool, settings, body } = BODIES[format];
  const question = fc
    .tuple(extended(word.map(text)), fc.option(extended(fc.constant(image))))
    .map(([said, shown]): Parts => (shown ? [said, shown] : [said]));
  const wishes = fc.record({
    system: word,
    question,
    turns: fc.array(turn, { maxLength: 2 }),
    toolName: fc.constant('look_it_up'),
    tool: extended(fc.tuple(word, schema).map(([said, given]) => tool('look_it_up', said, given))),
    settings: extended(settings),
  });
  return wishes.map(body);
}

/** Turns with a call, each of which holds the same field that is nobody else's. */
export function longHistory(format: CodecId, messages: number): JsonObject {
  const { text, tool, body } = BODIES[format];
  const turns = Array.from(
    { length: messages / 2 },
    (_, place): Turn => ({
      said: `said ${place}`,
      id: `call_${place}`,
      argument: `argument ${place}`,
      result: `result ${place}`,
      more: { x_new_field: `new ${place}` },
    }),
  );
  const offered = tool('look_it_up', 'looks it up', { type: 'object', properties: { argument: { type: 'string' } } });
  return body({
    system: 'be brief',
    question: [text('go')],
    turns,
    toolName: 'look_it_up',
    tool: offered,
    settings: {},
  });
}
