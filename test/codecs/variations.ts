import { isObject, type JsonObject, type JsonValue } from '../../src/model/json.ts';

export const ENDPOINTS = {
  'anthropic-messages': 'anthropic.messages',
  gemini: 'gemini.generate',
  'openai-chat': 'openai.chat',
  'openai-responses': 'openai.responses',
} as const;
export type Format = keyof typeof ENDPOINTS;
export const FORMATS = Object.keys(ENDPOINTS) as Format[];

/** One event of a stream. */
export interface Wire {
  readonly event?: string;
  readonly data: string;
}

export function wireOf(sse: string): Wire[] {
  return sse
    .split(/\r?\n\r?\n/)
    .map((block) => {
      const lines = block.split(/\r?\n/);
      const event = lines
        .find((line) => line.startsWith('event:'))
        ?.slice(6)
        .trim();
      const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trimStart());
      return { ...(event && { event }), data: data.join('\n') };
    })
    .filter(({ data }) => data !== '');
}

type Change = (chunk: JsonObject, codec: Format) => JsonObject;

const changed =
  (change: Change) =>
  (wire: readonly Wire[], codec: Format): Wire[] =>
    wire.map((event) =>
      event.data.startsWith('{') ? { ...event, data: JSON.stringify(change(JSON.parse(event.data), codec)) } : event,
    );

/** Insides that belong to the user or are told as they are. */
const CLOSED = new Set([
  'args',
  'input',
  'arguments',
  'env',
  'response',
  'metadata',
  'logit_bias',
  'schema',
  'parameters',
]);

function everyObject(value: JsonValue | undefined, change: (object: JsonObject) => JsonObject): JsonValue {
  if (Array.isArray(value)) return value.map((inner) => everyObject(inner, change));
  if (!isObject(value)) return value ?? null;
  const inside = Object.entries(value).map(([key, inner]) => [
    key,
    CLOSED.has(key) ? inner : everyObject(inner, change),
  ]);
  return change(Object.fromEntries(inside));
}
const every =
  (change: (object: JsonObject) => JsonObject): Change =>
  (chunk) =>
    everyObject(chunk, change) as JsonObject;

const reversed = (object: JsonObject): JsonObject => Object.fromEntries(Object.entries(object).reverse());
const extended = (object: JsonObject): JsonObject => ({
  ...object,
  x_unknown: { a: [1, null] },
  xOther: 'y',
  x_null: null,
});

/** All but letters and digits escaped, as some languages' writers do. */
const escaped = (wire: readonly Wire[]): Wire[] =>
  wire.map(({ data, ...event }) => ({ ...event, data: data.replace(/"(?:[^"\\]|\\.)*"/g, asEscapes) }));

const asEscapes = (text: string): string => {
  const plain: string = JSON.parse(text);
  return `"${plain.replace(/[^\w ./:-]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`;
};

/** Members that schemas know, as null where they are absent: what languages with typed objects write. */
const NULLS: Readonly<Record<Format, (object: JsonObject) => JsonObject>> = {
  'openai-chat': (object) => {
    if (isObject(object.delta)) {
      const nulls = {
        role: null,
        content: null,
        refusal: null,
        tool_calls: null,
        function_call: null,
        audio: null,
        reasoning: null,
        reasoning_content: null,
        annotations: null,
        reasoning_details: null,
        images: null,
      };
      return {
        logprobs: null,
        finish_reason: null,
        stop_reason: null,
        ...object,
        delta: { ...nulls, ...object.delta },
      };
    }
    if (isObject(object.function))
      return {
        id: null,
        type: null,
        index: null,
        ...object,
        function: { name: null, arguments: null, ...object.function },
      };
    if (object.object === 'chat.completion.chunk')
      return { usage: null, system_fingerprint: null, service_tier: null, error: null, citations: null, ...object };
    if (object.prompt_tokens !== undefined)
      return { prompt_tokens_details: null, completion_tokens_details: null, prompt_cache_hit_tokens: null, ...object };
    return object;
  },
  gemini: (object) => {
    if (object.candidates !== undefined || object.usageMetadata !== undefined)
      return {
        promptFeedback: null,
        usageMetadata: null,
        error: null,
        modelVersion: null,
        createTime: null,
        ...object,
      };
    if (object.content !== undefined)
      return {
        finishReason: null,
        safetyRatings: null,
        citationMetadata: null,
        groundingMetadata: null,
        finishMessage: null,
        index: null,
        ...object,
      };
    if (object.text !== undefined || object.functionCall !== undefined)
      return {
        text: null,
        thought: null,
        thoughtSignature: null,
        inlineData: null,
        fileData: null,
        functionCall: null,
        functionResponse: null,
        executableCode: null,
        codeExecutionResult: null,
        videoMetadata: null,
        ...object,
      };
    if (object.promptTokenCount !== undefined)
      return { cachedContentTokenCount: null, thoughtsTokenCount: null, candidatesTokenCount: null, ...object };
    return object;
  },
  'anthropic-messages': (object) => {
    if (object.type === 'text' || object.type === 'tool_use')
      return { citations: null, cache_control: null, ...object };
    if (typeof object.type === 'string' && object.type.endsWith('_delta') && object.type !== 'message_delta')
      return { text: null, thinking: null, partial_json: null, signature: null, citation: null, ...object };
    if (object.type === 'message_delta') return { context_management: null, ...object };
    if (object.output_tokens !== undefined)
      return {
        cache_read_input_tokens: null,
        cache_creation_input_tokens: null,
        server_tool_use: null,
        cache_creation: null,
        ...object,
      };
    return object;
  },
  'openai-responses': (object) => {
    if (object.type === 'message' || object.type === 'function_call')
      return { id: null, status: null, phase: null, ...object };
    if (object.type === 'output_text') return { annotations: null, logprobs: null, ...object };
    if (object.object === 'response') return { error: null, usage: null, incomplete_details: null, ...object };
    if (typeof object.type === 'string' && object.type.startsWith('response.'))
      return { obfuscation: null, logprobs: null, ...object };
    if (object.input_tokens !== undefined)
      return { input_tokens_details: null, output_tokens_details: null, ...object };
    return object;
  },
};

/** Where a format's chunks hold a piece of a text that may be cut anywhere. */
const PIECES: Readonly<Record<Format, (chunk: JsonObject) => readonly { holder: JsonObject; key: string }[]>> = {
  'openai-chat': ({ choices }) =>
    objects(choices).flatMap(({ delta }) => {
      const { tool_calls: calls, ...texts } = isObject(delta) ? delta : {};
      const named = ['content', 'reasoning', 'reasoning_content'].map((key) => ({
        holder: isObject(delta) ? delta : texts,
        key,
      }));
      const functions = objects(calls).flatMap((call) =>
        isObject(call.function) ? [{ holder: call.function, key: 'arguments' }] : [],
      );
      return [...named, ...functions];
    }),
  gemini: ({ candidates }) =>
    objects(candidates).flatMap(({ content }) =>
      objects(isObject(content) ? content.parts : []).flatMap((part) =>
        part.thoughtSignature ? [] : [{ holder: part, key: 'text' }],
      ),
    ),
  'anthropic-messages': ({ delta }) =>
    isObject(delta) ? ['text', 'thinking', 'partial_json'].map((key) => ({ holder: delta, key })) : [],
  'openai-responses': (chunk) => (String(chunk.type).endsWith('.delta') ? [{ holder: chunk, key: 'delta' }] : []),
};

function objects(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** Events that hold one text, again for each of its characters; others stay whole. */
function inCharacters(wire: readonly Wire[], codec: Format): Wire[] {
  return wire.flatMap((event) => {
    if (!event.data.startsWith('{')) return [event];
    const chunk: JsonObject = JSON.parse(event.data);
    const pieces = PIECES[codec](chunk).filter(
      ({ holder, key }) => typeof holder[key] === 'string' && holder[key] !== '',
    );
    const [only] = pieces;
    if (!only || pieces.length > 1) return [event];
    const [first = '', ...rest] = [...String(only.holder[only.key])];
    only.holder[only.key] = first;
    const begun = JSON.stringify(chunk);
    const more = rest.map((character) => {
      only.holder[only.key] = character;
      return { ...event, data: JSON.stringify(codec === 'openai-chat' ? withoutNames(chunk) : chunk) };
    });
    return [{ ...event, data: begun }, ...more];
  });
}

/** A call is named once. */
function withoutNames(chunk: JsonObject): JsonObject {
  const bare = structuredClone(chunk);
  for (const { delta } of objects(bare.choices)) {
    for (const call of objects(isObject(delta) ? delta.tool_calls : [])) {
      delete call.id;
      delete call.type;
      if (isObject(call.function)) delete call.function.name;
    }
  }
  return bare;
}

/** Events that say nothing. */
const NOTHINGS: Readonly<Record<Format, readonly Wire[]>> = {
  'openai-chat': [
    { choices: [] },
    { choices: [{ index: 0, delta: {}, finish_reason: null }] },
    { choices: [{ index: 0, delta: null, finish_reason: null }] },
    { choices: [{ index: 0, delta: { content: '', reasoning_content: '', tool_calls: [] } }] },
    { choices: [{ index: 0, delta: { role: 'assistant', content: null, tool_calls: null } }] },
    { choices: [{ index: 1, delta: { content: 'another answer' } }] },
    { id: '', object: '', model: '', created: 0, choices: [] },
  ].map(wireEvent),
  gemini: [
    {},
    { candidates: [] },
    { candidates: [{}] },
    { candidates: [{ content: {} }] },
    { candidates: [{ content: { role: 'model', parts: [] }, index: 0 }] },
    { candidates: [{ content: { parts: [{ text: '' }] } }] },
    { candidates: [{ content: { parts: [{ text: '', thought: true }, {}] } }] },
    { candidates: [{ content: { parts: [{ text: 'another answer' }] }, index: 1 }] },
    { usageMetadata: {} },
    { responseId: 'r', modelVersion: 'm' },
  ].map(wireEvent),
  'anthropic-messages': [
    { type: 'ping' },
    { type: 'x_unknown', delta: { text: 'x' } },
    { type: 'message_delta', delta: {}, usage: {} },
    { type: 'message_delta', delta: { stop_reason: null, stop_sequence: null } },
  ].map(wireEvent),
  'openai-responses': [
    { type: 'keepalive', sequence_number: 3 },
    { type: 'response.x_unknown', delta: 'x' },
    { type: 'response.in_progress', response: { id: 'resp_x', status: 'in_progress', output: [] } },
    { type: 'response.queued', response: { id: 'resp_x', status: 'queued', output: [] } },
  ].map(wireEvent),
};

function wireEvent(chunk: JsonObject): Wire {
  return { ...(typeof chunk.type === 'string' && { event: chunk.type }), data: JSON.stringify(chunk) };
}

/** One of them behind each event but the last. */
const withNothings = (wire: readonly Wire[], codec: Format): Wire[] =>
  wire.flatMap((event, at) => (at === wire.length - 1 ? [event] : [event, ...NOTHINGS[codec].slice(at % 3)]));

export const VARIATIONS: Readonly<Record<string, (wire: readonly Wire[], codec: Format) => readonly Wire[]>> = {
  'members in another order': changed(every(reversed)),
  'members that nobody knows': changed(every(extended)),
  'null in place of what is absent': changed((chunk, codec) => every(NULLS[codec])(chunk, codec)),
  'characters escaped': escaped,
  'texts and arguments in pieces of one character': inCharacters,
  'events that say nothing in between': withNothings,
};
