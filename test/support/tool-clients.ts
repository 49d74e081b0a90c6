import { createAmazonFrameReader } from '../../src/codecs/amazon-frames.ts';
import type { CodecId } from '../../src/model/content.ts';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { objectOf, objectsOf, textOf } from './strict-server.ts';
import { eventsIn, type WalkingClient, walkingClients } from './walking-clients.ts';

/** A call that a client was handed, with the id under which its result goes back. */
export interface HandedCall {
  readonly id: string;
  readonly name: string;
  readonly input: JsonObject;
}

/** One client format as an agent with tools of its own speaks it; the history is kept as answers came. */
export interface ToolClient {
  readonly format: CodecId;
  readonly path: (model: string, stream: boolean) => string;
  /** `tools`: names of the client's own tools; `forced`: the one it insists on, or `any`. */
  readonly body: (
    history: readonly JsonObject[],
    ask: {
      readonly model: string;
      readonly stream: boolean;
      readonly tools: readonly string[];
      readonly forced?: string;
      readonly thinks?: boolean;
    },
  ) => JsonObject;
  readonly say: (text: string) => JsonObject;
  readonly kept: (answer: JsonObject) => JsonObject[];
  readonly callsIn: (items: readonly JsonObject[]) => HandedCall[];
  readonly results: (results: readonly (HandedCall & { readonly text: string })[]) => JsonObject[];
  readonly textOf: (items: readonly JsonObject[]) => string;
  /** Why the answer ended, in the format's word. */
  readonly endOf: (answer: JsonObject) => string;
  readonly tokensOf: (answer: JsonObject) => readonly [input: number, output: number];
  readonly whole: (response: Response, stream: boolean) => Promise<JsonObject>;
}

const SCHEMA: JsonObject = { type: 'object', properties: { value: { type: 'string' } }, required: ['value'] };

function walking(name: string): WalkingClient {
  const found = walkingClients.find((each) => each.name === name);
  if (!found) throw new Error(`no walking client ${name}`);
  return found;
}

const wholeBy =
  (client: WalkingClient) =>
  async (response: Response, stream: boolean): Promise<JsonObject> => {
    const text = await response.text();
    return stream ? { ...client.whole(eventsIn(text)), events: eventsIn(text) } : objectOf(JSON.parse(text));
  };

const parsed = (text: unknown): JsonObject => objectOf(JSON.parse(textOf(text as string) || '{}'));

/** The last value of a member among the events of a stream, or the member of a whole answer. */
function lastOf(answer: JsonObject, look: (event: JsonObject) => unknown): unknown {
  const events = Array.isArray(answer.events) ? objectsOf(answer.events) : [answer];
  return events.map(look).findLast((value) => value !== undefined && value !== null);
}

const numbers = (value: unknown, input: string, output: string): [number, number] => {
  const usage = isObject(value) ? value : {};
  return [Number(usage[input]), Number(usage[output])];
};

const messagesWalk = walking('messages');
const messages: ToolClient = {
  ...messagesWalk,
  format: 'anthropic-messages',
  body: (history, { model, stream, tools, forced, thinks }) => ({
    model,
    stream,
    max_tokens: 8_000,
    ...(thinks && { thinking: { type: 'enabled', budget_tokens: 2_048 } }),
    ...(tools.length > 0 && { tools: tools.map((name) => ({ name, description: 'Own.', input_schema: SCHEMA })) }),
    ...(forced && { tool_choice: forced === 'any' ? { type: 'any' } : { type: 'tool', name: forced } }),
    messages: [...history],
  }),
  callsIn: (items) =>
    items.flatMap(({ content }) =>
      objectsOf(content).flatMap(({ type, id, name, input }) =>
        type === 'tool_use' ? [{ id: textOf(id), name: textOf(name), input: objectOf(input) }] : [],
      ),
    ),
  results: (results) => [
    {
      role: 'user',
      content: results.map(({ id, text }) => ({ type: 'tool_result', tool_use_id: id, content: text })),
    },
  ],
  endOf: (answer) =>
    textOf(lastOf(answer, (event) => objectOf(event.delta).stop_reason ?? event.stop_reason) as string),
  tokensOf: (answer) => [
    numbers(
      lastOf(answer, ({ usage, message }) => usage ?? objectOf(message).usage),
      'input_tokens',
      '',
    )[0] ||
      numbers(
        lastOf(answer, ({ message }) => (message ? objectOf(message).usage : undefined)),
        'input_tokens',
        '',
      )[0],
    numbers(
      lastOf(answer, ({ usage }) => usage),
      '',
      'output_tokens',
    )[1],
  ],
  whole: wholeBy(messagesWalk),
};

const chatWalk = walking('chat');
const chat: ToolClient = {
  ...chatWalk,
  format: 'openai-chat',
  body: (history, { model, stream, tools, forced, thinks }) => ({
    model,
    stream,
    ...(stream && { stream_options: { include_usage: true } }),
    ...(thinks && { reasoning_effort: 'high' }),
    ...(tools.length > 0 && {
      tools: tools.map((name) => ({ type: 'function', function: { name, description: 'Own.', parameters: SCHEMA } })),
    }),
    ...(forced && { tool_choice: forced === 'any' ? 'required' : { type: 'function', function: { name: forced } } }),
    messages: [...history],
  }),
  callsIn: (items) =>
    items.flatMap(({ tool_calls: calls }) =>
      objectsOf(calls).map((call) => ({
        id: textOf(call.id),
        name: textOf(objectOf(call.function).name),
        input: parsed(objectOf(call.function).arguments),
      })),
    ),
  results: (results) => results.map(({ id, text }) => ({ role: 'tool', tool_call_id: id, content: text })),
  endOf: (answer) => textOf(lastOf(answer, ({ choices }) => objectsOf(choices)[0]?.finish_reason) as string),
  tokensOf: (answer) =>
    numbers(
      lastOf(answer, ({ usage }) => usage),
      'prompt_tokens',
      'completion_tokens',
    ),
  whole: wholeBy(chatWalk),
};

const responsesWalk = walking('responses');
const responses: ToolClient = {
  ...responsesWalk,
  format: 'openai-responses',
  body: (history, { model, stream, tools, forced, thinks }) => ({
    model,
    stream,
    store: false,
    ...(thinks && {
      include: ['reasoning.encrypted_content'],
      reasoning: { effort: 'high', summary: 'auto' },
    }),
    ...(tools.length > 0 && {
      tools: tools.map((name) => ({ type: 'function', name, description: 'Own.', strict: false, parameters: SCHEMA })),
    }),
    ...(forced && { tool_choice: forced === 'any' ? 'required' : { type: 'function', name: forced } }),
    input: [...history],
  }),
  callsIn: (items) =>
    items.flatMap(({ type, call_id: id, name, arguments: input }) =>
      type === 'function_call' ? [{ id: textOf(id), name: textOf(name), input: parsed(input) }] : [],
    ),
  results: (results) => results.map(({ id, text }) => ({ type: 'function_call_output', call_id: id, output: text })),
  endOf: ({ status }) => textOf(status),
  tokensOf: ({ usage }) => numbers(usage, 'input_tokens', 'output_tokens'),
  whole: wholeBy(responsesWalk),
};

const geminiWalk = walking('gemini');
const gemini: ToolClient = {
  ...geminiWalk,
  format: 'gemini',
  body: (history, { tools, forced, thinks }) => ({
    contents: [...history],
    ...(thinks && { generationConfig: { thinkingConfig: { includeThoughts: true, thinkingLevel: 'HIGH' } } }),
    ...(tools.length > 0 && {
      tools: [
        { functionDeclarations: tools.map((name) => ({ name, description: 'Own.', parametersJsonSchema: SCHEMA })) },
      ],
    }),
    ...(forced && {
      toolConfig: {
        functionCallingConfig: { mode: 'ANY', ...(forced !== 'any' && { allowedFunctionNames: [forced] }) },
      },
    }),
  }),
  callsIn: (items) =>
    items.flatMap(({ parts }) =>
      objectsOf(parts).flatMap(({ functionCall }) => {
        const { id, name, args } = objectOf(functionCall);
        return functionCall ? [{ id: textOf(id), name: textOf(name), input: objectOf(args) }] : [];
      }),
    ),
  results: (results) => [
    {
      role: 'user',
      parts: results.map(({ id, name, text }) => ({
        functionResponse: { ...(id !== '' && { id }), name, response: { output: text } },
      })),
    },
  ],
  endOf: (answer) => textOf(lastOf(answer, ({ candidates }) => objectsOf(candidates)[0]?.finishReason) as string),
  tokensOf: (answer) =>
    numbers(
      lastOf(answer, ({ usageMetadata }) => usageMetadata),
      'promptTokenCount',
      'candidatesTokenCount',
    ),
  whole: wholeBy(geminiWalk),
};

/** Events of an Amazon stream as one answer. */
function wholeConverse(bytes: Buffer): JsonObject {
  const content: JsonObject[] = [];
  const answer: JsonObject = {};
  for (const { headers, payload } of createAmazonFrameReader().push(bytes)) {
    const event = objectOf(JSON.parse(payload.toString()));
    const kind = headers[':event-type'] ?? headers[':exception-type'];
    const at = Number(event.contentBlockIndex);
    if (kind === 'contentBlockStart') content[at] = objectOf(event.start);
    if (kind === 'contentBlockDelta') content[at] = grown(content[at] ?? {}, objectOf(event.delta));
    if (kind === 'messageStop') answer.stopReason = event.stopReason ?? null;
    if (kind === 'metadata') answer.usage = event.usage ?? null;
    if (headers[':message-type'] === 'exception') answer.exception = event.message ?? null;
  }
  const blocks = content.flatMap((block) => (block ? [withInput(block)] : []));
  return { ...answer, output: { message: { role: 'assistant', content: blocks } } };
}

function grown(block: JsonObject, delta: JsonObject): JsonObject {
  if (typeof delta.text === 'string') return { ...block, text: textOf(block.text) + delta.text };
  if (delta.reasoningContent) return { reasoningContent: thought(block, objectOf(delta.reasoningContent)) };
  const { input } = objectOf(delta.toolUse);
  if (typeof input !== 'string') return block;
  const use = objectOf(block.toolUse);
  return { toolUse: { ...use, input: textOf(use.input) + input } };
}

/** What is thought arrives in pieces, and then its signature. */
function thought(block: JsonObject, { redactedContent, ...piece }: JsonObject): JsonObject {
  if (redactedContent !== undefined) return { redactedContent };
  const before = objectOf(objectOf(block.reasoningContent).reasoningText);
  const signature = piece.signature ?? before.signature;
  return {
    reasoningText: {
      text: textOf(before.text) + textOf(piece.text),
      ...(signature !== undefined && { signature }),
    },
  };
}

const withInput = (block: JsonObject): JsonObject => {
  if (!block.toolUse) return block;
  const use = objectOf(block.toolUse);
  return { toolUse: { ...use, input: JSON.parse(textOf(use.input) || '{}') } };
};

const converse: ToolClient = {
  format: 'bedrock-converse',
  path: (model, stream) => `/bedrock/model/${encodeURIComponent(model)}/${stream ? 'converse-stream' : 'converse'}`,
  body: (history, { tools, forced, thinks }) => ({
    messages: [...history],
    ...(thinks && {
      inferenceConfig: { maxTokens: 8_000 },
      additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 2_048 } },
    }),
    ...(tools.length > 0 && {
      toolConfig: {
        tools: tools.map((name) => ({ toolSpec: { name, description: 'Own.', inputSchema: { json: SCHEMA } } })),
        ...(forced && { toolChoice: forced === 'any' ? { any: {} } : { tool: { name: forced } } }),
      },
    }),
  }),
  say: (text) => ({ role: 'user', content: [{ text }] }),
  kept: ({ output }) => [objectOf(objectOf(output).message)],
  callsIn: (items) =>
    items.flatMap(({ content }) =>
      objectsOf(content).flatMap(({ toolUse }) => {
        const { toolUseId, name, input } = objectOf(toolUse);
        return toolUse ? [{ id: textOf(toolUseId), name: textOf(name), input: objectOf(input) }] : [];
      }),
    ),
  results: (results) => [
    {
      role: 'user',
      content: results.map(({ id, text }) => ({ toolResult: { toolUseId: id, content: [{ text }] } })),
    },
  ],
  textOf: (items) => items.flatMap(({ content }) => objectsOf(content).map(({ text }) => textOf(text))).join(''),
  endOf: ({ stopReason }) => textOf(stopReason),
  tokensOf: ({ usage }) => numbers(usage, 'inputTokens', 'outputTokens'),
  whole: async (response, stream) => {
    const bytes = Buffer.from(await response.arrayBuffer());
    return stream ? wholeConverse(bytes) : objectOf(JSON.parse(bytes.toString()));
  },
};

export const toolClients: readonly ToolClient[] = [messages, chat, responses, gemini, converse];
