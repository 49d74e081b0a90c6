import { describe, expect, test } from 'vitest';
import type { Message, Part } from '../../src/model/content.ts';
import type { ChatRequest } from '../../src/model/request.ts';
import { familyOf } from '../../src/vault/family.ts';
import { type Answered, ReasoningVault, withoutAnyState } from '../../src/vault/vault.ts';

const signed = (text: string, signature: string): Part => ({
  type: 'reasoning',
  text,
  origin: { codec: 'anthropic-messages', block: { type: 'thinking', thinking: text, signature } },
});
const call = (id: string, input = '{"a":1,"b":2}', name = 'f'): Part => ({ type: 'tool-call', id, name, input });
const said = (text: string): Part => ({ type: 'text', text });

const ANN: Answered = { owner: 'ann', family: 'claude', dialect: 'openai-chat' };
const TURN = [signed('hm', 'sig-1'), said('Let me look.'), call('toolu_01abcdefgh')];

const asking = (...parts: Part[]): ChatRequest => ({
  model: 'm',
  stream: false,
  fallbacks: [],
  messages: [
    { role: 'user', parts: [said('hi')] },
    { role: 'assistant', parts },
  ],
  tools: [],
  settings: {},
  untouched: true,
});

const turnOf = ({ messages }: ChatRequest): Message['parts'] => messages[1]?.parts ?? [];

function remembering(...turns: (readonly Part[])[]): ReasoningVault {
  const vault = new ReasoningVault(() => 0);
  for (const parts of turns) vault.remember(ANN, parts);
  return vault;
}

describe('a turn comes back without its state', () => {
  test('D6 its own family gets it back where it stood', () => {
    const losses: never[] = [];
    const restored = remembering(TURN).restored(
      'ann',
      'claude',
      asking(said('Let me look.'), call('toolu_01abcdefgh')),
      losses,
    );
    expect(turnOf(restored)).toEqual(TURN);
    expect(losses).toMatchObject([{ field: 'messages.1', action: 'invented' }]);
  });

  test('D8 byte for byte, in its place between calls', () => {
    const turn = [signed('a', 's1'), call('toolu_01aaaaaaaa'), signed('b ', 's2'), call('toolu_01bbbbbbbb')];
    const bare = turn.filter(({ type }) => type === 'tool-call');
    expect(turnOf(remembering(turn).restored('ann', 'claude', asking(...bare), []))).toEqual(turn);
  });

  test('found by what it says where ids are numbered, or were lost', () => {
    const turn = [signed('hm', 's'), call('functions.f:0')];
    const vault = remembering(turn);
    expect(turnOf(vault.restored('ann', 'claude', asking(call('call_1', '{ "b": 2, "a": 1 }')), []))).toHaveLength(2);
    expect(turnOf(vault.restored('ann', 'claude', asking(call('functions.f:0', '{"a":2}')), []))).toHaveLength(1);
  });

  test('not by what it says where a call has an id of its own that nobody remembers', () => {
    const request = asking(said('Let me look.'), call('call_of_another_model'));
    expect(remembering(TURN).restored('ann', 'claude', request, [])).toBe(request);
  });

  test('a final answer is found by its text', () => {
    const vault = remembering([signed('hm', 's'), said('Blue.')]);
    expect(turnOf(vault.restored('ann', 'claude', asking(said('Blue.\n')), []))).toHaveLength(2);
  });

  test('ids are known again in the alphabet of another format, and with a signature behind them', () => {
    const vault = remembering([signed('hm', 's'), call('call.12345678:x')]);
    expect(turnOf(vault.restored('ann', 'claude', asking(call('call_12345678_x')), []))).toHaveLength(2);
    expect(turnOf(vault.restored('ann', 'claude', asking(call('call_12345678_x_ts_QUJD')), []))).toHaveLength(2);
  });

  test('D2 a call gets its signature back only if it is the same call', () => {
    const origin = {
      codec: 'gemini',
      block: { functionCall: { name: 'f', args: {} }, thoughtSignature: 'x' },
    } as const;
    const vault = remembering([{ type: 'tool-call', id: 'gemini123456', name: 'f', input: '{}', origin }]);
    const back = (input: string) => turnOf(vault.restored('ann', 'claude', asking(call('gemini123456', input)), []));
    expect(back('{}')).toMatchObject([{ origin }]);
    expect(back('{"edited":true}')).not.toMatchObject([{ origin }]);
  });
});

describe('nothing changes', () => {
  test.each([
    ['when the state is there', 'ann', 'claude', TURN],
    ['for another caller', 'bob', 'claude', TURN.slice(1)],
    ['for a turn that nobody remembers', 'ann', 'claude', [said('Other.')]],
  ])('%s', (_why, owner, family, parts) => {
    const request = asking(...parts);
    expect(remembering(TURN).restored(owner, family, request, [])).toBe(request);
  });

  test('for a turn without state there is nothing to keep', () => {
    const vault = remembering([said('Plain.'), call('toolu_01abcdefgh')]);
    expect([vault.size, vault.knows('ann')]).toEqual([0, false]);
  });
});

describe('another family', () => {
  test('D7 gets the thinking as plain text, without what only its model can read', () => {
    const losses: never[] = [];
    const restored = remembering(TURN).restored('ann', 'kimi', asking(...TURN), losses);
    expect(turnOf(restored)).toEqual([{ type: 'reasoning', text: 'hm' }, ...TURN.slice(1)]);
    expect(losses).toMatchObject([{ action: 'dropped', reason: expect.stringContaining('claude') }]);
    expect(restored.raw).toBeUndefined();
  });

  test('D10 does not see redacted thinking at all', () => {
    const origin = { codec: 'anthropic-messages', block: { type: 'redacted_thinking', data: 'xyz' } } as const;
    const turn: Part[] = [{ type: 'reasoning', text: '', origin }, call('toolu_01abcdefgh')];
    expect(turnOf(remembering(turn).restored('ann', 'gemini', asking(...turn), []))).toEqual(turn.slice(1));
  });

  test('is told apart for each client format', () => {
    const vault = remembering(TURN);
    expect(vault.hasForeign('ann', 'openai-chat', 'claude')).toBe(false);
    expect(vault.hasForeign('ann', 'openai-chat', 'gemini')).toBe(true);
    expect(vault.hasForeign('ann', 'gemini', 'gemini')).toBe(false);
  });

  test.each([
    ['anthropic', 'claude-opus-4-6', 'claude'],
    ['bedrock', 'eu.anthropic.claude-sonnet-4-5-v1:0', 'claude'],
    ['openrouter', 'anthropic/claude-sonnet-4', 'claude'],
    ['vertex', 'gemini-3-pro', 'gemini'],
    ['openai', 'gpt-5', 'openai at openai'],
    ['azure', 'gpt-5', 'openai at azure'],
    ['deepseek', 'deepseek-reasoner', 'deepseek'],
    ['moonshot', 'kimi-k2-thinking', 'kimi'],
    ['anthropic', 'unheard-of', 'claude'],
    ['my-own', 'unheard-of', 'my-own'],
  ])('%s/%s is of the family %s', (provider, model, family) => {
    expect(familyOf(provider, model)).toBe(family);
  });
});

describe('what is kept is bounded', () => {
  const turn = (index: number): Part[] => [signed(`thought ${index}`, `sig-${index}`), call(`toolu_01abcdef${index}x`)];
  const finds = (vault: ReasoningVault, index: number): boolean => {
    const request = asking(call(`toolu_01abcdef${index}x`));
    return vault.restored('ann', 'claude', request, []) !== request;
  };

  test('in entries, oldest out first', () => {
    const vault = new ReasoningVault(() => 0, { maxBytes: 1_000_000, maxEntries: 2, ttlMs: 1_000 });
    for (const index of [1, 2, 3]) vault.remember(ANN, turn(index));
    expect([vault.size, finds(vault, 1), finds(vault, 2), finds(vault, 3)]).toEqual([2, false, true, true]);
  });

  test('in bytes', () => {
    const vault = new ReasoningVault(() => 0, { maxBytes: 1_000, maxEntries: 1_000, ttlMs: 1_000 });
    for (let index = 0; index < 100; index++) vault.remember(ANN, turn(index));
    expect(vault.size).toBeLessThan(6);
    expect(finds(vault, 99)).toBe(true);
  });

  test('in time', () => {
    let now = 0;
    const vault = new ReasoningVault(() => now, { maxBytes: 1_000_000, maxEntries: 9, ttlMs: 1_000 });
    vault.remember(ANN, turn(1));
    now = 1_000;
    expect(finds(vault, 1)).toBe(false);
    vault.remember(ANN, turn(2));
    expect(vault.size).toBe(1);
  });

  test('the same turn is kept once', () => {
    const vault = remembering(turn(1), turn(1), turn(1));
    expect([vault.size, finds(vault, 1)]).toEqual([1, true]);
  });

  test('an answer that travelled as bytes is read when somebody asks, and once', () => {
    const vault = new ReasoningVault(() => 0);
    let reads = 0;
    const read = () => {
      reads += 1;
      return turn(7);
    };
    vault.rememberUnread(ANN, { bytes: 100, read });
    expect(vault.hasForeign('ann', 'openai-chat', 'gemini')).toBe(true);
    expect(reads).toBe(0);
    expect([finds(vault, 7), finds(vault, 7), reads, vault.size]).toEqual([true, true, 1, 1]);
  });
});

test('D9 a refused history is asked again without any state, its thinking as plain text', () => {
  expect(turnOf(withoutAnyState(asking(...TURN)))).toEqual([{ type: 'reasoning', text: 'hm' }, ...TURN.slice(1)]);
});

describe('signatures that ride on the ids of calls', () => {
  const result = (callId: string): Part => ({ type: 'tool-result', callId, content: [said('blue')], isError: false });
  const idsOf = (...ids: string[]): unknown => {
    const asked = asking(...ids.map((id) => call(id)));
    const messages: Message[] = [...asked.messages, { role: 'tool', parts: ids.map(result) }];
    const [, calls, results] = withoutAnyState({ ...asked, messages }).messages;
    return [calls, results].map((message) =>
      message?.parts.map((part) => (part.type === 'tool-call' ? part.id : part.type === 'tool-result' && part.callId)),
    );
  };

  test('D9 are refused with them, so calls and results go by their bare ids', () => {
    expect(idsOf('fc-1_ts_c2ln', 'call_2')).toEqual([
      ['fc-1', 'call_2'],
      ['fc-1', 'call_2'],
    ]);
  });

  test('stay where two calls would have one id without them', () => {
    expect(idsOf('get_ts_10', 'get_ts_11', 'get')).toEqual([
      ['get_ts_10', 'get_ts_11', 'get'],
      ['get_ts_10', 'get_ts_11', 'get'],
    ]);
  });
});

test('D9 nothing that was refused is put back from what is remembered', () => {
  const losses: never[] = [];
  const refused = withoutAnyState(asking(...TURN));
  expect(remembering(TURN).restored('ann', 'claude', refused, losses)).toBe(refused);
  expect(losses).toEqual([]);
});
