import { describe, expect, test } from 'vitest';
import { openaiResponses } from '../../../src/codecs/openai-responses/index.ts';
import { isObject, type JsonObject, type JsonValue } from '../../../src/model/json.ts';
import { appended } from '../../../src/model/request.ts';
import { cases, type Recording } from '../../support/recordings.ts';
import { shared } from '../../support/shared.ts';
import { requestOf } from '../requests.ts';

const recordings = cases({ endpoint: 'openai.responses' }).filter(({ request }) => request.body !== null);
const named = recordings.map((recording): [string, Recording] => [recording.id, recording]);
const bodyOf = ({ request }: Recording): JsonObject => ({ ...request.body, fallbacks: ['openai/gpt-4o'] });
const target = { model: 'upstream', stream: false } as const;

/** A body without what is not content: texts as lists of one part, nulls and empty lists, statuses, the model. */
function essence(body: JsonObject): JsonValue {
  const { model: _, stream: _s, fallbacks: _f, input, ...rest } = body;
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : (input ?? []);
  return withoutNothing({ ...rest, input: Array.isArray(items) ? items.map(asList) : items });
}

function asList(item: JsonValue): JsonValue {
  if (!isObject(item) || (item.type !== undefined && item.type !== 'message')) return item;
  const type = item.role === 'assistant' ? 'output_text' : 'input_text';
  const content = typeof item.content === 'string' ? [{ type, text: item.content }] : (item.content ?? null);
  return { ...item, type: 'message', content };
}

function withoutNothing(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutNothing);
  if (!isObject(value)) return value;
  const kept = Object.entries(value)
    .map(([key, member]): [string, JsonValue] => [key, withoutNothing(member ?? null)])
    .filter(([key, member]) => !isNothing(member) && key !== 'status');
  return Object.fromEntries(kept) as JsonObject;
}

const isNothing = (member: JsonValue): boolean =>
  member === null || member === '' || (Array.isArray(member) && member.length === 0);

describe.runIf(shared)('recorded requests', () => {
  test('there are many', () => {
    expect(named.length).toBeGreaterThan(80);
  });

  test.each(named)('%s goes on as it came when only the model changes', (_, recording) => {
    const body = bodyOf(recording);
    const encoded = openaiResponses.encodeRequest(requestOf(openaiResponses, body), target);
    const { fallbacks: _f, ...expected } = body;
    const stream = body.stream === undefined ? {} : { stream: false };
    expect(encoded.body).toEqual({ ...expected, ...stream, model: 'upstream' });
    expect(encoded.losses).toEqual([]);
  });

  test.each(named)('%s keeps everything when it is built anew', (_, recording) => {
    const body = bodyOf(recording);
    const request = { ...appended(requestOf(openaiResponses, body), {}), raw: undefined };
    const encoded = openaiResponses.encodeRequest(request, target);
    expect(essence(encoded.body)).toEqual(essence(body));
    expect(encoded.losses).toEqual([]);
  });

  test.each(named)('%s takes a tool and a round of ours behind its own', (_, recording) => {
    const body = bodyOf(recording);
    const schema = { type: 'object', properties: {} };
    const request = appended(requestOf(openaiResponses, body), {
      tools: [{ type: 'function', name: 'files-read', inputSchema: schema, owner: 'gateway' }],
      messages: [
        { role: 'assistant', parts: [{ type: 'tool-call', id: 'c1', name: 'files-read', input: '{}' }] },
        {
          role: 'tool',
          parts: [{ type: 'tool-result', callId: 'c1', content: [{ type: 'text', text: 'ok' }], isError: false }],
        },
      ],
    });
    const encoded = openaiResponses.encodeRequest(request, target);
    const given =
      typeof body.input === 'string' ? [{ type: 'message', role: 'user', content: body.input }] : body.input;
    expect(encoded.body.input).toEqual([
      ...(Array.isArray(given) ? given : []),
      { type: 'function_call', call_id: 'c1', name: 'files-read', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c1', output: 'ok' },
    ]);
    const tools = Array.isArray(body.tools) ? body.tools : [];
    expect(encoded.body.tools).toEqual([
      ...tools,
      { type: 'function', name: 'files-read', parameters: schema, strict: false },
    ]);
  });
});
