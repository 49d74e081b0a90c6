import { isObject, type JsonObject } from '../../src/model/json.ts';
import { objectOf, objectsOf, textOf } from './strict-server.ts';

/**
 * A client API as a small agent speaks it: the history is kept in its own format, as the answers came. A forgetful one
 * drops every field that carries a model's state.
 */
export interface WalkingClient {
  readonly name: string;
  path(model: string, stream: boolean): string;
  body(history: readonly JsonObject[], model: string, stream: boolean): JsonObject;
  say(text: string): JsonObject;
  /** The answer as it goes into the history. */
  kept(answer: JsonObject): JsonObject[];
  forgetful(items: readonly JsonObject[]): JsonObject[];
  /** The results of all calls of an answer. */
  results(items: readonly JsonObject[]): JsonObject[];
  textOf(items: readonly JsonObject[]): string;
  /** The answer that a stream's events add up to. */
  whole(events: readonly JsonObject[]): JsonObject;
}

const SCHEMA: JsonObject = { type: 'object', properties: { step: { type: 'integer' } }, required: ['step'] };
const RESULT = 'It is blue.';

const without = (object: JsonObject, ...fields: string[]): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([field]) => !fields.includes(field)));

const messages: WalkingClient = {
  name: 'messages',
  path: () => '/anthropic/v1/messages',
  body: (history, model, stream) => ({
    model,
    stream,
    max_tokens: 8_000,
    thinking: { type: 'enabled', budget_tokens: 2_048 },
    tools: [{ name: 'lookup', description: 'Looks up.', input_schema: SCHEMA }],
    messages: [...history],
  }),
  say: (content) => ({ role: 'user', content }),
  kept: ({ content }) => [{ role: 'assistant', content }],
  forgetful: (items) =>
    items.map((item) => ({
      ...item,
      content: objectsOf(item.content).filter(({ type }) => !/thinking/.test(textOf(type))),
    })),
  results: (items) => {
    const calls = items.flatMap(({ content }) => objectsOf(content)).filter(({ type }) => type === 'tool_use');
    const content = calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: RESULT }));
    return content.length > 0 ? [{ role: 'user', content }] : [];
  },
  textOf: (items) => items.flatMap(({ content }) => objectsOf(content).map(({ text }) => textOf(text))).join(''),
  whole: (events) => {
    const content: JsonObject[] = [];
    for (const event of events) {
      const index = Number(event.index);
      if (event.type === 'content_block_start') content[index] = { ...objectOf(event.content_block), json: '' };
      if (event.type !== 'content_block_delta') continue;
      const block = content[index] ?? {};
      const { text = '', thinking = '', signature, partial_json: json = '' } = objectOf(event.delta);
      if (block.type === 'text') block.text = textOf(block.text) + textOf(text);
      if (block.type === 'thinking') block.thinking = textOf(block.thinking) + textOf(thinking);
      if (signature !== undefined) block.signature = signature;
      block.json = textOf(block.json) + textOf(json);
    }
    return {
      content: content.map((block) => ({
        ...without(block, 'json'),
        ...(block.type === 'tool_use' && { input: JSON.parse(textOf(block.json) || '{}') }),
      })),
    };
  },
};

const chat: WalkingClient = {
  name: 'chat',
  path: () => '/openai/v1/chat/completions',
  body: (history, model, stream) => ({
    model,
    stream,
    max_completion_tokens: 8_000,
    reasoning_effort: 'high',
    tools: [{ type: 'function', function: { name: 'lookup', description: 'Looks up.', parameters: SCHEMA } }],
    messages: [...history],
  }),
  say: (content) => ({ role: 'user', content }),
  kept: ({ choices }) => [without(objectOf(objectsOf(choices)[0]?.message), 'annotations')],
  forgetful: (items) =>
    items.map(({ role, content, tool_calls: calls }) => ({
      role,
      content,
      ...(calls !== undefined && {
        tool_calls: objectsOf(calls).map((call) => ({ id: call.id, type: call.type, function: call.function })),
      }),
    })),
  results: (items) =>
    items
      .flatMap((item) => objectsOf(item.tool_calls))
      .map(({ id }) => ({ role: 'tool', tool_call_id: id, content: RESULT })),
  textOf: (items) => items.map(({ content }) => textOf(content)).join(''),
  whole: (events) => {
    const message: JsonObject = { role: 'assistant', content: null };
    const calls: JsonObject[] = [];
    for (const event of events) {
      const delta = objectOf(objectsOf(event.choices)[0]?.delta);
      for (const field of ['content', 'reasoning_content', 'reasoning']) {
        if (typeof delta[field] === 'string') message[field] = textOf(message[field]) + textOf(delta[field]);
      }
      if (delta.reasoning_details) {
        message.reasoning_details = [...objectsOf(message.reasoning_details), ...objectsOf(delta.reasoning_details)];
      }
      for (const { index, function: piece, ...rest } of objectsOf(delta.tool_calls)) {
        const known = calls[Number(index)] ?? { function: { arguments: '' } };
        const { arguments: args, ...named } = objectOf(piece);
        const before = objectOf(known.function);
        calls[Number(index)] = {
          ...known,
          ...rest,
          function: { ...before, ...named, arguments: textOf(before.arguments) + textOf(args) },
        };
      }
    }
    if (message.content === '' && calls.length > 0) message.content = null;
    return { choices: [{ message: { ...message, ...(calls.length > 0 && { tool_calls: calls }) } }] };
  },
};

const responses: WalkingClient = {
  name: 'responses',
  path: () => '/openai/v1/responses',
  body: (history, model, stream) => ({
    model,
    stream,
    max_output_tokens: 8_000,
    store: false,
    include: ['reasoning.encrypted_content'],
    reasoning: { effort: 'high', summary: 'auto' },
    tools: [{ type: 'function', name: 'lookup', description: 'Looks up.', strict: false, parameters: SCHEMA }],
    input: [...history],
  }),
  say: (text) => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] }),
  kept: ({ output }) => objectsOf(output),
  forgetful: (items) => items.filter(({ type }) => type !== 'reasoning').map((item) => without(item, 'id', 'status')),
  results: (items) =>
    items
      .filter(({ type }) => type === 'function_call')
      .map(({ call_id }) => ({ type: 'function_call_output', call_id, output: RESULT })),
  textOf: (items) => items.flatMap(({ content }) => objectsOf(content).map(({ text }) => textOf(text))).join(''),
  whole: (events) => objectOf(events.find(({ type }) => type === 'response.completed')?.response),
};

const gemini: WalkingClient = {
  name: 'gemini',
  path: (model, stream) =>
    `/genai/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
  body: (history) => ({
    contents: [...history],
    generationConfig: { maxOutputTokens: 8_000, thinkingConfig: { includeThoughts: true, thinkingLevel: 'HIGH' } },
    tools: [{ functionDeclarations: [{ name: 'lookup', description: 'Looks up.', parametersJsonSchema: SCHEMA }] }],
  }),
  say: (text) => ({ role: 'user', parts: [{ text }] }),
  kept: ({ candidates }) => [objectOf(objectsOf(candidates)[0]?.content)],
  forgetful: (items) =>
    items.map((item) => ({
      ...item,
      parts: objectsOf(item.parts)
        .filter(({ thought }) => thought !== true)
        .map((part) => without(part, 'thoughtSignature'))
        .filter((part) => part.text !== ''),
    })),
  results: (items) => {
    const parts = items
      .flatMap((item) => objectsOf(item.parts))
      .filter(({ functionCall }) => functionCall)
      .map(({ functionCall }) => {
        const { id, name } = objectOf(functionCall);
        return { functionResponse: { ...(id !== undefined && { id }), name, response: { output: RESULT } } };
      });
    return parts.length > 0 ? [{ role: 'user', parts }] : [];
  },
  textOf: (items) =>
    items
      .flatMap((item) => objectsOf(item.parts))
      .map(({ text, thought }) => (thought === true ? '' : textOf(text)))
      .join(''),
  whole: (events) => {
    const parts: JsonObject[] = [];
    for (const event of events) {
      for (const part of objectsOf(objectOf(objectsOf(event.candidates)[0]?.content).parts)) {
        const last = parts.at(-1);
        const grows =
          last && typeof part.text === 'string' && typeof last.text === 'string' && last.thought === part.thought;
        if (grows && last.thoughtSignature === undefined)
          Object.assign(last, part, { text: textOf(last.text) + textOf(part.text) });
        else if (part.text !== '' || part.thoughtSignature !== undefined) parts.push({ ...part });
      }
    }
    return { candidates: [{ content: { role: 'model', parts } }] };
  },
};

export const walkingClients: readonly WalkingClient[] = [messages, chat, responses, gemini];

/** A client of Bedrock's, which keeps what it was given. */
export const converseClient: WalkingClient = {
  name: 'converse',
  path: (model) => `/bedrock/model/${encodeURIComponent(model)}/converse`,
  body: (history) => ({ messages: [...history] }),
  say: (text) => ({ role: 'user', content: [{ text }] }),
  kept: ({ output }) => [objectOf(objectOf(output).message)],
  forgetful: (items) => [...items],
  results: (items) => {
    const calls = items.flatMap(({ content }) => objectsOf(content)).map(({ toolUse }) => objectOf(toolUse));
    const content = calls
      .filter(({ toolUseId, type }) => toolUseId !== undefined && type === undefined)
      .map(({ toolUseId }) => ({ toolResult: { toolUseId, content: [{ text: RESULT }] } }));
    return content.length > 0 ? [{ role: 'user', content }] : [];
  },
  textOf: () => '',
  whole: () => ({}),
};

/** The data of server-sent events. */
export const eventsIn = (text: string): JsonObject[] =>
  text.split(/\r?\n/).flatMap((line) => {
    if (!line.startsWith('data: {')) return [];
    const data: unknown = JSON.parse(line.slice(6));
    return isObject(data) ? [data] : [];
  });
