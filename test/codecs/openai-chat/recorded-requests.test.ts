import { describe, expect, test } from 'vitest';
import { openaiChat } from '../../../src/codecs/openai-chat/index.ts';
import { isObject, type JsonObject, type JsonValue } from '../../../src/model/json.ts';
import { appended } from '../../../src/model/request.ts';
import { cases, type Recording } from '../../support/recordings.ts';
import { shared } from '../../support/shared.ts';
import { requestOf } from '../requests.ts';

const recordings = cases({ endpoint: 'openai.chat' }).filter(({ request }) => request.body !== null);
const named = recordings.map((recording): [string, Recording] => [recording.id, recording]);
const bodyOf = ({ request }: Recording): JsonObject => ({ ...request.body, fallbacks: ['openai/gpt-4o'] });

/** A body without what is not content: nulls and empty lists, the model, streaming, and how the limit is called. */
function essence(body: JsonObject): JsonValue {
  const { model: _, stream: _s, stream_options: _o, fallbacks: _f, functions, max_tokens: limit, ...rest } = body;
  const legacy = Array.isArray(functions)
    ? { tools: functions.map((definition) => ({ function: definition })), parallel_tool_calls: false }
    : {};
  return withoutNothing({ max_completion_tokens: limit, ...rest, ...legacy });
}

function withoutNothing(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutNothing).filter((item) => !isBareMessage(item));
  if (!isObject(value)) return value;
  const kept = Object.entries(value)
    .map(([key, member]): [string, JsonValue] => [key, withoutNothing(member ?? null)])
    .filter(([key, member]) => !isNothing(member) && !(key === 'type' && member === 'function'));
  return Object.fromEntries(kept) as JsonObject;
}

/** A message whose content is null says nothing; built anew, it is left out and stands in the ledger. */
const isBareMessage = (item: JsonValue): boolean => isObject(item) && Object.keys(item).join() === 'role';

const isNothing = (member: JsonValue | undefined): boolean =>
  member === null || member === undefined || member === '' || (Array.isArray(member) && member.length === 0);

describe.runIf(shared)('recorded requests', () => {
  test('there are many', () => {
    expect(named.length).toBeGreaterThan(150);
  });

  test.each(named)('%s goes on as it came when only the model changes', (_, recording) => {
    const body = bodyOf(recording);
    const encoded = openaiChat.encodeRequest(requestOf(openaiChat, body), { model: 'upstream', stream: false });
    const { fallbacks: _f, stream_options: _o, ...expected } = body;
    const stream = body.stream === undefined ? {} : { stream: false };
    expect(encoded.body).toEqual({ ...expected, ...stream, model: 'upstream' });
    expect(encoded.losses).toEqual([]);
  });

  test.each(named)('%s asks for usage when it streams', (_, recording) => {
    const request = requestOf(openaiChat, bodyOf(recording));
    const { body } = openaiChat.encodeRequest(request, { model: 'upstream', stream: true });
    expect(body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  });

  test.each(named)('%s keeps everything when it is built anew', (_, recording) => {
    const body = bodyOf(recording);
    const { raw: _raw, ...request } = appended(requestOf(openaiChat, body), {});
    const encoded = openaiChat.encodeRequest({ ...request, raw: undefined }, { model: 'upstream', stream: false });
    expect(essence(encoded.body)).toEqual(essence(body));
  });
});
