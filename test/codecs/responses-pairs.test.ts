import { readFileSync } from 'node:fs';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { codecs } from '../../src/codecs/index.ts';
import { hasGatewayItems } from '../../src/codecs/openai-responses/history.ts';
import { refuseStoredState } from '../../src/codecs/openai-responses/stored-state.ts';
import type { StreamEvent } from '../../src/model/event.ts';
import { isObject, type JsonObject, type JsonValue } from '../../src/model/json.ts';
import { appended } from '../../src/model/request.ts';
import { foldAll } from '../../src/model/response.ts';
import { cases, type Recording } from '../support/recordings.ts';
import { shared, sharedPath } from '../support/shared.ts';
import { problemsIn as problemsInChat } from './chat-body.ts';
import { droppedIn, eventsIn, expectedOf, missingIn, type Read, readByAnthropic, readByOpenai } from './pairing.ts';
import { requestOf } from './requests.ts';
import { problemsIn } from './responses-body.ts';

const chat = codecs['openai-chat'];
const messages = codecs['anthropic-messages'];
const responses = codecs['openai-responses'];

const recorded = {
  'anthropic-messages': cases({ endpoint: 'anthropic.messages' }),
  'openai-chat': cases({ endpoint: 'openai.chat' }),
  'openai-responses': cases({ endpoint: 'openai.responses' }),
} as const;
type Id = keyof typeof recorded;
const named = (list: readonly Recording[]): [string, Recording][] => list.map((recording) => [recording.id, recording]);
const answersOf = (id: Id): Recording[] =>
  recorded[id].filter(({ digest, response }) => !digest.error && digest.finish !== 'failed' && isOneAnswer(response));
const isOneAnswer = ({ sse = '' }: Recording['response']): boolean => sse.split('event: response.created').length < 3;
/** What leans on a conversation that the provider has stored, compacted or not, cannot go elsewhere. */
const isPortable = ({ request }: Recording): boolean =>
  !/"previous_response_id":"|"type":"compaction"/.test(JSON.stringify(request.body));
const requestsOf = (id: Id): Recording[] =>
  recorded[id].filter((recording) => recording.request.body && recording.status === 200 && isPortable(recording));

const target = { model: 'm', stream: false } as const;

describe.runIf(shared)('every recorded request in the other formats', () => {
  test.each(named(requestsOf('openai-responses')))('%s to Chat Completions', (_, recording) => {
    const request = requestOf(responses, recording.request.body ?? {});
    expect(() => refuseStoredState(request, 'openai-chat')).not.toThrow();
    const { body, losses } = chat.encodeRequest(request, target);
    expect(problemsInChat(body)).toEqual([]);
    expect(missingIn(body, request).length).toBeLessThanOrEqual(droppedIn(losses));
  });

  test.each(named(requestsOf('openai-responses')))('%s to Messages', (_, recording) => {
    const request = requestOf(responses, recording.request.body ?? {});
    const { body, losses } = messages.encodeRequest(request, target);
    expect(() => messages.decodeRequest(body)).not.toThrow();
    expect(missingIn(body, request).length).toBeLessThanOrEqual(droppedIn(losses));
  });

  test.each(named(requestsOf('anthropic-messages')))('%s from Messages', (_, recording) => {
    expectTranslated(messages, recording);
  });

  test.each(named(requestsOf('openai-chat')))('%s from Chat Completions', (_, recording) => {
    expectTranslated(chat, recording);
  });

  function expectTranslated(codec: typeof chat, recording: Recording): void {
    const request = requestOf(codec, recording.request.body ?? {});
    const { body, losses } = responses.encodeRequest(request, target);
    expect(problemsIn(body)).toEqual([]);
    const dropped = losses.filter(({ field, action }) => action === 'dropped' && field.startsWith('input')).length;
    expect(missingIn(body, request).length).toBeLessThanOrEqual(dropped);
    expect(body.store).toBe(false);
    expect(() => responses.decodeRequest(body)).not.toThrow();
  }
});

const answering = (text: string) => async () =>
  new Response(text, { headers: { 'content-type': 'text/event-stream' } });

async function readByResponses(events: readonly StreamEvent[]): Promise<Read & { read: OpenAI.Responses.Response }> {
  const text = events.map(responses.encodeStream({ model: 'm', createdAtMs: 1_000 })).join('');
  const client = new OpenAI({ apiKey: 'none', maxRetries: 0, fetch: answering(text) });
  const read = await client.responses.stream({ model: 'm', input: 'x' }).finalResponse();
  const said = read.output.flatMap((item) =>
    item.type === 'message' ? item.content.map((part) => (part.type === 'output_text' ? part.text : part.refusal)) : [],
  );
  const calls = read.output.flatMap((item) =>
    item.type === 'function_call' ? [{ id: item.call_id, name: item.name, arguments: JSON.parse(item.arguments) }] : [],
  );
  return { text: said.join(''), calls, finish: read.incomplete_details?.reason ?? read.status ?? null, read };
}

describe.runIf(shared)('every recorded answer in the other formats', () => {
  for (const id of ['anthropic-messages', 'openai-chat'] as const) {
    test.each(named(answersOf(id)))('%s read by the openai SDK as a response', async (_, recording) => {
      const events = eventsIn(codecs[id], recording);
      const response = foldAll(events);
      const { read, ...seen } = await readByResponses(events);
      expect(seen).toMatchObject(expectedOf(response));
      const cut = response.reason.kind === 'length' || response.reason.kind === 'context-exceeded';
      expect(read.status === 'incomplete').toBe(cut || seen.finish === 'content_filter');
      expect(read.usage?.input_tokens).toBe(response.usage.input);
    });
  }

  test.each(named(answersOf('openai-responses')))(
    '%s read by the openai SDK as a chat completion',
    async (_, recording) => {
      const events = eventsIn(responses, recording);
      const expected = expectedOf(foldAll(events));
      const read = await readByOpenai(events);
      expect(read).toMatchObject(expected);
      expect(read.text).toBe(recording.digest.text);
      expect(read.finish === 'tool_calls').toBe(expected.calls.length > 0);
    },
  );

  test.each(named(answersOf('openai-responses')))('%s read by the Anthropic SDK', async (_, recording) => {
    const events = eventsIn(responses, recording);
    const expected = expectedOf(foldAll(events));
    const read = await readByAnthropic(events);
    expect(read).toMatchObject(expected);
    expect(read.finish === 'tool_use').toBe(expected.calls.length > 0);
  });

  test.each(named(answersOf('anthropic-messages')).filter(([, { tags }]) => tags.includes('signature')))(
    '%s gives thinking that Claude takes back',
    (_, recording) => {
      const response = foldAll(eventsIn(messages, recording));
      const { output } = responses.encodeResponse(response, { model: 'm' });
      const input = [
        { role: 'user', content: 'x' },
        ...(Array.isArray(output) ? output : []),
        { role: 'user', content: 'y' },
      ];
      const body = { model: 'm', input };
      expect(hasGatewayItems(Buffer.from(JSON.stringify(body)))).toBe(true);
      const request = requestOf(responses, body);
      void request.messages;
      expect(request.raw).toBeUndefined();
      const { body: sent } = messages.encodeRequest(request, target);
      expect(thinkingBlocks(sent)).toEqual(response.parts.flatMap(({ origin }) => signedBlock(origin?.block)));
      const elsewhere = responses.encodeRequest(request, target);
      expect(JSON.stringify(elsewhere.body)).not.toContain('"reasoning"');
    },
  );
});

const signedBlock = (block: JsonValue | undefined): JsonObject[] =>
  isObject(block) && block.signature ? [{ thinking: block.thinking, signature: block.signature }] : [];

const thinkingBlocks = ({ messages: turns }: JsonObject): JsonObject[] =>
  (Array.isArray(turns) ? turns : []).flatMap((turn) =>
    isObject(turn) && Array.isArray(turn.content) ? turn.content.flatMap(signedBlock) : [],
  );

describe.runIf(shared)('twins: one case asked in both formats', () => {
  const twins = recorded['openai-responses'].flatMap((ours): [string, Recording, Recording][] => {
    const tail = /^or-lin-(.*)$/.exec(ours.id)?.[1];
    const theirs = recorded['openai-chat'].find(({ id }) => id === `oc-lin-${tail}`);
    // asked with other words in the two formats
    if (tail?.startsWith('text-format')) return [];
    return tail && theirs ? [[tail, ours, theirs]] : [];
  });

  test('there are some', () => {
    expect(twins.length).toBeGreaterThan(5);
  });

  test.each(twins)('%s', (_, ours, theirs) => {
    const { body } = chat.encodeRequest(requestOf(responses, ours.request.body ?? {}), target);
    expect(skeleton(body)).toEqual(skeleton(theirs.request.body ?? {}));
  });

  /** What a twin must share; wording of answers and names of ids are each provider's own. */
  function skeleton(body: JsonObject): JsonValue {
    const wire = Array.isArray(body.messages) ? body.messages.filter(isObject) : [];
    const turns = wire.map(({ role, content, tool_calls: calls }) => ({
      role: role ?? null,
      ...(role !== 'assistant' && role !== 'tool' && { said: textOf(content) }),
      called: Array.isArray(calls) ? calls.filter(isObject).map(({ function: called }) => called ?? null) : [],
    }));
    const tools = JSON.stringify(body.tools ?? null).replaceAll(',"strict":false', '');
    return { turns, tools: JSON.parse(tools) };
  }

  const textOf = (content: JsonValue | undefined): JsonValue =>
    Array.isArray(content)
      ? content.map((part) => (isObject(part) ? String(part.text ?? part.type) : '')).join('\n')
      : (content ?? null);
});

describe.runIf(shared)('Codex on models behind other formats', () => {
  const captured: JsonObject = JSON.parse(
    shared ? readFileSync(sharedPath('captures/codex/req-1.json'), 'utf8') : '{}',
  );
  const turn = (call: JsonObject, output: JsonValue): JsonObject => ({
    ...captured,
    input: [
      ...(Array.isArray(captured.input) ? captured.input : []),
      call,
      { type: 'function_call_output', call_id: 'call_1', output, id: 'fco_1' },
    ],
  });

  test('A18 becomes a body that Chat Completions takes, each function of each namespace among its tools', () => {
    const request = requestOf(responses, captured);
    const { body, losses } = chat.encodeRequest(request, { ...target, stream: true });
    expect(problemsInChat(body)).toEqual([]);
    expect(missingIn(body, request)).toEqual([]);
    const tools = Array.isArray(body.tools) ? body.tools : [];
    expect(tools).toHaveLength(20);
    expect(JSON.stringify(tools)).toContain('"mcp__bifrost__echo_');
    const roles = Array.isArray(body.messages) ? body.messages.map((message) => isObject(message) && message.role) : [];
    expect(roles).toEqual(['system', 'system', 'user', 'user']);
    const fields = losses.filter(({ action }) => action === 'dropped').map(({ field }) => field);
    expect(fields).toEqual(expect.arrayContaining(['client_metadata', 'include', 'store', 'prompt_cache_key']));
    expect(losses.some(({ field, reason }) => field.startsWith('tools.') && reason.includes('web_search'))).toBe(true);
  });

  test('becomes a body that Messages takes', () => {
    const request = requestOf(responses, captured);
    const { body } = messages.encodeRequest(request, target);
    expect(() => messages.decodeRequest(body)).not.toThrow();
    expect(missingIn(body, request)).toEqual([]);
    expect(body.tools).toHaveLength(20);
  });

  test.each([
    ['openai-chat', chat],
    ['anthropic-messages', messages],
  ] as const)('A18 a call of a namespaced tool comes back from %s as two fields', async (_, codec) => {
    const { toolNames = new Map<string, string>() } = codec.encodeRequest(requestOf(responses, captured), target);
    const [wireName] = [...toolNames].find(([, name]) => name === 'mcp__bifrost::echo') ?? [];
    const call = { type: 'tool-call', id: 'call_1', name: wireName ?? '', input: '{"text":"hi"}' } as const;
    const answer = foldAll([
      { type: 'response-start', id: 'x', model: 'm' },
      { type: 'part-start', index: 0, part: call },
      { type: 'part-end', index: 0 },
      {
        type: 'response-end',
        reason: { kind: 'tool-calls' },
        usage: { input: 1, output: 1, cacheRead: 0, cacheWrite: 0, reasoning: 0 },
      },
    ]);
    const events = codec.decodeResponse(codec.encodeResponse(answer), { toolNames });
    const { output } = responses.encodeResponse(events, { model: 'm' });
    const shown = Array.isArray(output) && isObject(output[0]) ? output[0] : {};
    expect(shown).toMatchObject({
      type: 'function_call',
      namespace: 'mcp__bifrost',
      name: 'echo',
      arguments: '{"text":"hi"}',
    });

    const next = codec.encodeRequest(requestOf(responses, turn(shown, [{ type: 'input_text', text: 'hi' }])), target);
    expect(JSON.stringify(next.body)).toContain(`"name":"${wireName}"`);
    const own = { ...appended(requestOf(responses, turn(shown, 'hi')), {}), raw: undefined };
    const verbatim = JSON.stringify(responses.encodeRequest(own, target).body.input);
    expect(verbatim).toContain('"namespace":"mcp__bifrost"');
  });

  test('built anew for its own format, namespaces are the containers that they were', () => {
    const request = { ...appended(requestOf(responses, captured), {}), raw: undefined };
    const { body, losses } = responses.encodeRequest(request, {
      ...target,
      model: String(captured.model),
      stream: true,
    });
    expect(body).toEqual(captured);
    expect(losses).toEqual([]);
  });

  test('the same request gives the same bytes', () => {
    const encoded = () => JSON.stringify(chat.encodeRequest(requestOf(responses, captured), target));
    expect(encoded()).toBe(encoded());
  });
});
