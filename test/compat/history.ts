import { isObject, type JsonObject } from '../../src/model/json.ts';
import type { Recording } from '../support/recordings.ts';
import { type Format, parsedInput } from './answers.ts';
import { formatOf } from './expected.ts';

/** What an upstream request says the model said and did before, and what came of it. */
interface History {
  /** All that the model said, joined. */
  readonly text: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: unknown }[];
  /** Call id (Gemini: or name) and what the tool gave. */
  readonly results: readonly { readonly id: string; readonly text: string }[];
}

const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : {});
const objects = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
const parsed = (text: unknown): unknown => parsedInput(String(text || '{}'));
/** A text, or the texts of blocks. */
const textIn = (content: unknown): string =>
  Array.isArray(content)
    ? objects(content)
        .map(({ text, refusal }) => String(text ?? refusal ?? ''))
        .join('')
    : String(content ?? '');

const READERS: Readonly<Record<Format, (body: JsonObject) => History>> = {
  'anthropic-messages': ({ messages }) => {
    const said = objects(messages).filter(({ role }) => role === 'assistant');
    const blocks = said.flatMap(({ content }) =>
      typeof content === 'string' ? [{ type: 'text', text: content }] : objects(content),
    );
    const answers = objects(messages).flatMap(({ content }) => objects(content));
    return {
      text: textIn(blocks.filter(({ type }) => type === 'text')),
      calls: blocks
        .filter(({ type }) => type === 'tool_use')
        .map(({ id, name, input }) => ({ id: String(id), name: String(name), arguments: input })),
      results: answers
        .filter(({ type }) => type === 'tool_result')
        .map(({ tool_use_id: id, content }) => ({ id: String(id), text: textIn(content) })),
    };
  },
  'openai-chat': ({ messages }) => {
    const said = objects(messages).filter(({ role }) => role === 'assistant');
    return {
      text: said.map(({ content, refusal }) => textIn(content) + String(refusal ?? '')).join(''),
      calls: said
        .flatMap(({ tool_calls: calls }) => objects(calls))
        .map(({ id, function: called }) => {
          const { name, arguments: input } = objectOf(called);
          return { id: String(id), name: String(name), arguments: parsed(input) };
        }),
      results: objects(messages)
        .filter(({ role }) => role === 'tool')
        .map(({ tool_call_id: id, content }) => ({ id: String(id), text: textIn(content) })),
    };
  },
  'openai-responses': ({ input }) => {
    const items = objects(input);
    return {
      text: items
        .filter(({ role }) => role === 'assistant')
        .map(({ content }) => textIn(content))
        .join(''),
      calls: items
        .filter(({ type }) => type === 'function_call')
        .map(({ call_id: id, name, arguments: args }) => ({
          id: String(id),
          name: String(name),
          arguments: parsed(args),
        })),
      results: items
        .filter(({ type }) => type === 'function_call_output')
        .map(({ call_id: id, output }) => ({ id: String(id), text: textIn(output) })),
    };
  },
  gemini: ({ contents }) => {
    const said = objects(contents).filter(({ role }) => role === 'model');
    const parts = said.flatMap((content) => objects(content.parts));
    const all = objects(contents).flatMap((content) => objects(content.parts));
    return {
      text: textIn(parts.filter(({ thought }) => thought !== true)),
      calls: parts.flatMap(({ functionCall: call }) =>
        isObject(call) ? [{ id: String(call.id ?? ''), name: String(call.name), arguments: call.args ?? {} }] : [],
      ),
      results: all.flatMap(({ functionResponse: answer }) =>
        isObject(answer)
          ? [{ id: String(answer.id ?? answer.name), text: Object.values(objectOf(answer.response)).join('') }]
          : [],
      ),
    };
  },
};

/** What an upstream request holds of the conversation before it. */
export const historyIn = (format: Format, body: JsonObject): History => READERS[format](body);

/** The state of mind that a vendor wants back: signatures, encrypted thinking. */
export function stateIn(recording: Recording): string[] {
  const { sse, body } = recording.response;
  const text = sse ?? JSON.stringify(body ?? {});
  const pattern = STATE[formatOf(recording)];
  return pattern ? [...new Set([...text.matchAll(pattern)].map(([, state = '']) => state))] : [];
}

const STATE: Readonly<Partial<Record<Format, RegExp>>> = {
  'anthropic-messages': /"signature":\s*"([^"]{20,})"/g,
  // the state of an item is told again, in another wording, with each event; the last one is the item's
  gemini: /"thoughtSignature":\s*"([^"]{20,})"/g,
};
