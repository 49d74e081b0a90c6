import { describe, expect, test } from 'vitest';
import { hasGatewayBlocks } from '../../../src/codecs/anthropic-messages/history.ts';
import { anthropicMessages } from '../../../src/codecs/anthropic-messages/index.ts';
import type { Part } from '../../../src/model/content.ts';
import type { StreamEvent } from '../../../src/model/event.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import { eventsOf, foldAll } from '../../../src/model/response.ts';
import { NO_USAGE } from '../../../src/model/usage.ts';
import { decodedStream, encodedStream, requestOf, TARGET } from './support.ts';

const text = (value: string): JsonObject => ({ type: 'text', text: value });
const ran = (turn: string, id: string): JsonObject => ({
  type: 'mcp_tool_use',
  id: `mcptoolu_bf${turn}_${id}`,
  name: 'echo',
  server_name: 'ref',
  input: { say: id },
});
const got = (turn: string, id: string): JsonObject => ({
  type: 'mcp_tool_result',
  tool_use_id: `mcptoolu_bf${turn}_${id}`,
  is_error: false,
  content: [text(`r${id}`)],
});
const asked = (id: string): JsonObject => ({ type: 'tool_use', id, name: 'Bash', input: {} });
const answered = (id: string): JsonObject => ({ type: 'tool_result', tool_use_id: id, content: `r${id}` });

const bodyOf = (...messages: readonly (readonly [string, JsonObject[] | string])[]): JsonObject => ({
  model: 'm',
  max_tokens: 10,
  context_management: { edits: [] },
  messages: [{ role: 'user', content: 'go' }, ...messages.map(([role, content]) => ({ role, content }))],
});

/** Each message as its role and what is inside, short: text, call ids, r + ids of results. */
const outline = (body: JsonObject): string[] =>
  anthropicMessages.decodeRequest(body).messages.map(({ role, parts }) => `${role}[${parts.map(short).join(', ')}]`);

function short(part: Part): string {
  switch (part.type) {
    case 'text':
      return part.text;
    case 'tool-call':
      return part.id;
    case 'tool-result':
      return `r:${part.callId}`;
    default:
      return part.type;
  }
}

describe('gateway-run calls in the history', () => {
  const TURNS: readonly (readonly [string, JsonObject, readonly string[]])[] = [
    [
      'two rounds, the second one mixed',
      bodyOf(
        [
          'assistant',
          [text('text1'), ran('0', 'A'), got('0', 'A'), text('text2'), ran('1m', 'B'), got('1m', 'B'), asked('C')],
        ],
        ['user', [answered('C')]],
      ),
      ['user[go]', 'assistant[text1, A]', 'tool[r:A]', 'assistant[text2, B, C]', 'tool[r:B, r:C]'],
    ],
    [
      'rounds without text between them',
      bodyOf(['assistant', [ran('0', 'A'), got('0', 'A'), ran('1', 'B'), got('1', 'B'), text('done')]]),
      ['user[go]', 'assistant[A]', 'tool[r:A]', 'assistant[B]', 'tool[r:B]', 'assistant[done]'],
    ],
    [
      'parallel calls of one round, calls first',
      bodyOf(['assistant', [ran('0', 'A'), ran('0', 'B'), got('0', 'A'), got('0', 'B'), text('done')]]),
      ['user[go]', 'assistant[A, B]', 'tool[r:A, r:B]', 'assistant[done]'],
    ],
    [
      'parallel calls of one round, each with its result',
      bodyOf(['assistant', [ran('0', 'A'), got('0', 'A'), ran('0', 'B'), got('0', 'B'), text('done')]]),
      ['user[go]', 'assistant[A, B]', 'tool[r:A, r:B]', 'assistant[done]'],
    ],
    [
      'a turn that ends with what the gateway ran, and the user goes on',
      bodyOf(['assistant', [ran('0', 'A'), got('0', 'A')]], ['user', 'go on']),
      ['user[go]', 'assistant[A]', 'tool[r:A]', 'user[go on]'],
    ],
    [
      "the client's own call in a later turn",
      bodyOf(['assistant', [ran('0', 'A'), got('0', 'A'), asked('C')]], ['user', [answered('C')]]),
      ['user[go]', 'assistant[A]', 'tool[r:A]', 'assistant[C]', 'tool[r:C]'],
    ],
    [
      'turns without any of it beside turns with it',
      bodyOf(
        ['assistant', [text('plain')]],
        ['user', 'more'],
        ['assistant', [ran('0', 'A'), got('0', 'A'), text('x')]],
      ),
      ['user[go]', 'assistant[plain]', 'user[more]', 'assistant[A]', 'tool[r:A]', 'assistant[x]'],
    ],
    [
      'a conversation that stopped while a tool ran',
      bodyOf(['assistant', [text('a'), ran('0', 'A')]], ['user', 'stop']),
      ['user[go]', 'assistant[a, A]', 'user[stop]'],
    ],
  ];

  test.each(TURNS)('I5 %s', (_what, body, turns) => {
    expect(outline(body)).toEqual(turns);
    expect(anthropicMessages.decodeRequest(body).rewritten).toBe(true);
    expect(hasGatewayBlocks(Buffer.from(JSON.stringify(body)))).toBe(true);
  });

  test("a provider sees ordinary calls and results, and the client's other fields stay", () => {
    const [, body] = TURNS[0] ?? [];
    const { body: sent, losses } = anthropicMessages.encodeRequest(requestOf(body ?? {}), TARGET);
    expect(sent.messages).toEqual([
      { role: 'user', content: [text('go')] },
      {
        role: 'assistant',
        content: [text('text1'), { type: 'tool_use', id: 'A', name: 'ref-echo', input: { say: 'A' } }],
      },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 'A', is_error: false, content: [text('rA')] }],
      },
      {
        role: 'assistant',
        content: [text('text2'), { type: 'tool_use', id: 'B', name: 'ref-echo', input: { say: 'B' } }, asked('C')],
      },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 'B', is_error: false, content: [text('rB')] }, answered('C')],
      },
    ]);
    expect(sent.context_management).toEqual({ edits: [] });
    expect(losses).toEqual([]);
  });

  test("blocks of Anthropic's own MCP connector stay as they are, and so does the body", () => {
    const theirs = { ...ran('', 'x'), id: 'mcptoolu_01Abc' };
    const body = bodyOf(['assistant', [theirs, { ...got('', 'x'), tool_use_id: 'mcptoolu_01Abc' }]]);
    expect(outline(body)).toEqual(['user[go]', 'assistant[opaque, opaque]']);
    expect(anthropicMessages.decodeRequest(body).rewritten).toBeUndefined();
    expect(hasGatewayBlocks(Buffer.from(JSON.stringify(body)))).toBe(false);
  });

  test('what the gateway shows of a run comes back as the turns that it was', () => {
    const turn = (round: number, mixed: boolean) => ({ owner: 'gateway' as const, turn: { round, mixed } });
    const call = (id: string): Part => ({ type: 'tool-call', id, name: 'ref-echo', input: '{}' });
    const result = (callId: string): Part => ({
      type: 'tool-result',
      callId,
      isError: true,
      content: [{ type: 'text', text: 'no' }],
    });
    const odd = 'call/1+2=3';
    const parts: Part[] = [
      { type: 'text', text: 'a' },
      { ...call('call_1'), ...turn(0, false) } as Part,
      { ...result('call_1'), ...turn(0, false) } as Part,
      { ...call(odd), ...turn(1, true) } as Part,
      { ...result(odd), ...turn(1, true) } as Part,
      call('call_3'),
    ];
    const events = eventsOf({ id: 'x', model: 'y', parts, reason: { kind: 'tool-calls' }, usage: NO_USAGE });
    const answer = anthropicMessages.encodeResponse(foldAll(decodedStream(encodedStream(events))));
    const history = bodyOf(['assistant', answer.content as JsonObject[]], ['user', [answered('call_3')]]);
    const [, first, firstResult, second, secondResult] = anthropicMessages.decodeRequest(history).messages;
    expect(first?.parts).toMatchObject([{ text: 'a' }, { id: 'call_1', name: 'ref-echo', input: '{}' }]);
    expect(firstResult).toMatchObject({ role: 'tool', parts: [{ callId: 'call_1', isError: true }] });
    const hashed = second?.parts[0];
    expect(hashed).toMatchObject({ type: 'tool-call', id: expect.stringMatching(/^[a-f0-9]{32}$/) });
    expect(second?.parts[1]).toMatchObject({ id: 'call_3' });
    expect(secondResult?.parts).toMatchObject([
      { callId: hashed?.type === 'tool-call' ? hashed.id : '' },
      { callId: 'call_3' },
    ]);
  });

  test('a tool without a client in its name comes back under its name', () => {
    const part: Part = { type: 'tool-call', id: 'a', name: 'readToolFile', input: '', owner: 'gateway' };
    const event: StreamEvent = { type: 'part-start', index: 0, part };
    const [block] = anthropicMessages.encodeResponse(foldAll([event])).content as JsonObject[];
    const { messages } = anthropicMessages.decodeRequest(bodyOf(['assistant', [block ?? {}]]));
    expect(messages[1]?.parts).toMatchObject([{ id: 'a', name: 'readToolFile' }]);
  });
});

describe("another model's thinking in the history", () => {
  const unsigned = { type: 'thinking', thinking: 'hm', signature: '' };

  test('D7 is known by its empty signature, so that the body does not travel as it came', () => {
    const body = bodyOf(['assistant', [unsigned, text('a')]]);
    expect(hasGatewayBlocks(Buffer.from(JSON.stringify(body)))).toBe(true);
    const { rewritten, messages } = anthropicMessages.decodeRequest(body);
    expect(rewritten).toBe(true);
    expect(messages[1]?.parts[0]).toMatchObject({ type: 'reasoning', text: 'hm' });
    const { body: sent, losses } = anthropicMessages.encodeRequest(requestOf(body), TARGET);
    expect(JSON.stringify(sent)).not.toContain('"thinking"');
    expect(losses).toMatchObject([{ field: 'messages.1.content.0', action: 'dropped' }]);
  });

  test('D8 signed thinking leaves the body untouched', () => {
    const body = bodyOf(['assistant', [{ ...unsigned, signature: 'c2ln' }, text('a')]]);
    expect(hasGatewayBlocks(Buffer.from(JSON.stringify(body)))).toBe(false);
    expect(anthropicMessages.decodeRequest(body).rewritten).toBeUndefined();
  });
});
