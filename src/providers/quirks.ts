import { createHash } from 'node:crypto';
import { isObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { Loss } from '../model/loss.ts';
import { lookFor } from '../model/marks.ts';
import type { BodySource } from '../model/request.ts';
import type { Adjust } from './provider.ts';
import { withoutNarrowPatterns } from './schema-patterns.ts';

/**
 * One thing that an OpenAI-compatible server does differently from OpenAI. `concerns` decides on the client's bytes
 * whether a body may need the change, so that all others can travel unparsed; a false alarm costs time only.
 */
export interface Quirk {
  concerns(source: BodySource, model: string): boolean;
  /** The changed body, or the very same when there was nothing to change. Tells `report` what was lost. */
  apply(body: JsonObject, model: string, report: (loss: Loss) => void): JsonObject;
}

/** The quirks of a server, one after the other. */
export const adjustWith =
  (quirks: readonly Quirk[]): Adjust =>
  (body, model) => {
    const losses: Loss[] = [];
    const report = (loss: Loss) => losses.push(loss);
    const adjusted = quirks.reduce<JsonObject>((current, quirk) => quirk.apply(current, model, report), body);
    return { body: adjusted, losses };
  };

type Message = JsonObject;

const has = (source: BodySource, ...fields: readonly string[]): boolean => fields.some((field) => source.has(field));

/** Whether the bytes of a body hold one of the texts. A search, without a parse. */
function holding(...texts: readonly string[]): (source: BodySource) => boolean {
  const isMarked = lookFor(...texts);
  return ({ bytes }) => isMarked(bytes);
}

/** Refused top-level fields. `reason` ends the sentence "dropped: ...". */
export function drops(reason: string, ...fields: readonly string[]): Quirk {
  return {
    concerns: (source) => has(source, ...fields),
    apply: (body, _model, report) => {
      const present = fields.filter((field) => body[field] !== undefined);
      if (present.length === 0) return body;
      const changed = { ...body };
      for (const field of present) {
        delete changed[field];
        report({ field, action: 'dropped', reason });
      }
      return changed;
    },
  };
}

/** The same quirk, for some models only. */
export const onlyFor = (matches: (model: string) => boolean, quirk: Quirk): Quirk => ({
  concerns: (source, model) => matches(model) && quirk.concerns(source, model),
  apply: (body, model, report) => (matches(model) ? quirk.apply(body, model, report) : body),
});

/** A field known under another name there. A value already under that name wins. */
export function renames(from: string, to: string): Quirk {
  return {
    concerns: (source) => source.has(from),
    apply: (body, _model, report) => {
      const { [from]: value, ...rest } = body;
      if (value === undefined) return body;
      report({ field: from, action: 'rewritten', reason: `known here as ${to}` });
      return rest[to] === undefined ? { ...rest, [to]: value } : rest;
    },
  };
}

/** Servers that do not know the role `developer` get `system`, which means the same to them. */
export const developerIsSystem: Quirk = {
  concerns: holding('"developer"'),
  apply: (body, _model, report) =>
    mapMessages(body, (message, path) => {
      if (message.role !== 'developer') return message;
      report({
        field: `${path}.role`,
        action: 'rewritten',
        reason: 'the role developer is unknown here; sent as system',
      });
      return { ...message, role: 'system' };
    }),
};

/**
 * Servers that know no tools but functions (`EncodeTarget.functionsOnly`): the codec tells the others as such, so these
 * bodies may not travel as they came.
 */
export const knowsFunctionsOnly: Quirk = {
  concerns: holding('"custom"', '"function_call"', '"functions"', '"role":"function"', '"role": "function"'),
  apply: (body) => body,
};

/** Servers whose messages of these roles take text only as a string. Lists with anything but text are left alone. */
export function textAsString(...roles: readonly string[]): Quirk {
  return {
    concerns: holding('"content":[', '"content": ['),
    apply: (body, _model, report) =>
      mapMessages(body, (message, path) => {
        if (!roles.includes(String(message.role))) return message;
        const text = textOf(message.content);
        if (text === undefined) return message;
        report({ field: `${path}.content`, action: 'rewritten', reason: 'content must be a string here' });
        reportMarks(message.content, path, report);
        return { ...message, content: text };
      }),
  };
}

/** Cache marks and the like, which texts in lists may bear and a string cannot. */
function reportMarks(content: JsonValue | undefined, path: string, report: (loss: Loss) => void): void {
  if (!Array.isArray(content)) return;
  for (const part of content) {
    for (const key of isObject(part) ? Object.keys(part) : []) {
      if (key === 'type' || key === 'text') continue;
      report({ field: `${path}.content.${key}`, action: 'dropped', reason: 'content must be a string here' });
    }
  }
}

function textOf(content: JsonValue | undefined): string | undefined {
  if (!Array.isArray(content)) return undefined;
  const texts = content.map((part) => (isObject(part) && part.type === 'text' ? part.text : undefined));
  return texts.every((text) => typeof text === 'string') ? texts.join('\n') : undefined;
}

const holdsBareSchema = holding(
  '"parameters":{}',
  '"parameters": {}',
  '"parameters":{"type":"object"}',
  '"parameters": {"type": "object"}',
);

/** `{}` and `{"type":"object"}` are refused as parameters of a tool that takes none; they need `properties`. */
export const completesToolSchemas: Quirk = {
  concerns: (source) => source.has('tools') && holdsBareSchema(source),
  apply: (body, _model, report) =>
    mapTools(body, (parameters, path) => {
      if (parameters.properties !== undefined || (parameters.type ?? 'object') !== 'object') return parameters;
      if (Object.keys(parameters).some((keyword) => keyword === '$ref' || keyword.endsWith('Of'))) return parameters;
      report({ field: path, action: 'rewritten', reason: 'an object schema must name its properties' });
      return { ...parameters, type: 'object', properties: {} };
    }),
};

const holdsPattern = holding('"pattern"');

/** Schema patterns that a narrow regular-expression engine refuses (lookaround, `\0`). */
export const dropsNarrowPatterns: Quirk = {
  concerns: (source) => source.has('tools') && holdsPattern(source),
  apply: (body, _model, report) =>
    mapTools(body, (parameters, path) => withoutNarrowPatterns(parameters, path, report)),
};

const MISTRAL_ID = /^[a-zA-Z0-9]{9}$/;

/** Mistral takes tool-call ids of exactly nine letters and digits. The same id always becomes the same id. */
export function mistralToolCallId(id: string): string {
  if (MISTRAL_ID.test(id)) return id;
  const digest = BigInt(`0x${createHash('sha256').update(id).digest('hex')}`);
  return digest.toString(36).slice(-9);
}

/** Ids that came from another provider, in calls and in their results alike. */
export const mistralToolCallIds: Quirk = {
  concerns: holding('"tool_call_id"', '"tool_calls"'),
  apply: (body, _model, report) =>
    mapMessages(body, (message, path) => {
      const changed = withMistralIds(message);
      if (changed !== message) {
        report({
          field: `${path}.tool_call_id`,
          action: 'rewritten',
          reason: 'Mistral takes ids of nine letters and digits',
        });
      }
      return changed;
    }),
};

function withMistralIds(message: Message): Message {
  const { tool_call_id: resultOf, tool_calls: calls } = message;
  if (typeof resultOf === 'string' && !MISTRAL_ID.test(resultOf)) {
    return { ...message, tool_call_id: mistralToolCallId(resultOf) };
  }
  const isForeign = (call: JsonValue) => isObject(call) && typeof call.id === 'string' && !MISTRAL_ID.test(call.id);
  if (!Array.isArray(calls) || !calls.some(isForeign)) return message;
  const renamed = calls.map((call) =>
    isObject(call) && typeof call.id === 'string' ? { ...call, id: mistralToolCallId(call.id) } : call,
  );
  return { ...message, tool_calls: renamed };
}

function mapMessages(body: JsonObject, change: (message: Message, path: string) => Message): JsonObject {
  const { messages } = body;
  if (!Array.isArray(messages)) return body;
  const changed = messages.map((message, index) =>
    isObject(message) ? change(message, `messages[${index}]`) : message,
  );
  return changed.every((message, index) => message === messages[index]) ? body : { ...body, messages: changed };
}

function mapTools(body: JsonObject, change: (parameters: JsonObject, path: string) => JsonObject): JsonObject {
  const { tools } = body;
  if (!Array.isArray(tools)) return body;
  const changed = tools.map((tool, index) => {
    if (!isObject(tool) || !isObject(tool.function) || !isObject(tool.function.parameters)) return tool;
    const parameters = change(tool.function.parameters, `tools[${index}].function.parameters`);
    if (parameters === tool.function.parameters) return tool;
    return { ...tool, function: { ...tool.function, parameters } };
  });
  return changed.every((tool, index) => tool === tools[index]) ? body : { ...body, tools: changed };
}
