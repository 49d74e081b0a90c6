import { describe, expect, test } from 'vitest';
import type { Message, Part } from '../../src/model/content.ts';
import type { StreamEvent } from '../../src/model/event.ts';
import { appended, type ChatRequest, type FunctionTool } from '../../src/model/request.ts';
import { type ChatResponse, foldAll } from '../../src/model/response.ts';
import { createMock } from '../../src/providers/mock.ts';
import { contextOf, framesFor, heard, openScene, providerAt, requestOf } from './scene.ts';

const mock = createMock(0);

const user = (text: string): Message => ({ role: 'user', parts: [{ type: 'text', text }] });
const toolNamed = (name: string): FunctionTool => ({ type: 'function', name, inputSchema: {}, owner: 'gateway' });
const FILE_TOOLS = ['list_directory', 'create_file', 'read_file'].map((name) => toolNamed(`filesystem-${name}`));

const request = (messages: readonly Message[], tools: readonly FunctionTool[] = []): ChatRequest => ({
  model: 'mock/agent',
  stream: true,
  messages,
  tools,
  settings: {},
  fallbacks: [],
  untouched: false,
});

async function turn(given: ChatRequest, model: string): Promise<ChatResponse> {
  const events: StreamEvent[] = [];
  for await (const event of mock.scripted(given, model, new AbortController().signal)) events.push(event);
  return foldAll(events);
}

const textOf = ({ parts }: ChatResponse): string =>
  parts.map((part) => (part.type === 'text' ? part.text : '')).join('');

describe('mock/echo', () => {
  test('says what the user said last', async () => {
    const answer = await turn(request([user('first'), { role: 'assistant', parts: [] }, user('second thing')]), 'echo');
    expect(textOf(answer)).toBe('second thing');
    expect(answer).toMatchObject({ reason: { kind: 'stop' }, usage: { input: 5, output: 3 } });
  });
});

describe('mock/agent', () => {
  /** Plays the script to its answer; every tool gives its own name back. */
  async function play(given: ChatRequest): Promise<{ calls: string[]; ids: string[]; text: string }> {
    const calls: string[] = [];
    const ids: string[] = [];
    for (let current = given; ; ) {
      const answer = await turn(current, 'agent');
      const call = answer.parts.find((part) => part.type === 'tool-call');
      if (call?.type !== 'tool-call') return { calls, ids, text: textOf(answer) };
      expect(answer.reason.kind).toBe('tool-calls');
      calls.push(`${call.name} ${call.input}`);
      ids.push(call.id);
      const content: Part[] = [{ type: 'text', text: `result of ${call.name}` }];
      current = appended(current, {
        messages: [
          { role: 'assistant', parts: answer.parts },
          { role: 'tool', parts: [{ type: 'tool-result', callId: call.id, content, isError: false }] },
        ],
      });
    }
  }

  test('looks, writes what the user said, reads it back and reports', async () => {
    const { calls, ids, text } = await play(request([user('remember the milk')], FILE_TOOLS));
    expect(calls).toEqual([
      'filesystem-list_directory {"path":"."}',
      'filesystem-create_file {"path":"gateway-demo.md","content":"remember the milk\\n","overwrite":true}',
      'filesystem-read_file {"path":"gateway-demo.md"}',
    ]);
    expect(new Set(ids).size).toBe(3);
    expect(text).toContain('I ran 3 tools');
    expect(text).toContain('- filesystem-read_file: result of filesystem-read_file');
  });

  test('uses only what is offered', async () => {
    const { calls, text } = await play(request([user('look')], FILE_TOOLS.slice(0, 1)));
    expect(calls).toEqual(['filesystem-list_directory {"path":"."}']);
    expect(text).toContain('I ran 1 tool,');
  });

  test('begins anew with what the user says next', async () => {
    const first = request([user('one')], FILE_TOOLS);
    const later = appended(first, {
      messages: [{ role: 'assistant', parts: [{ type: 'text', text: 'done' }] }, user('two')],
    });
    expect((await play(later)).calls[1]).toContain('"content":"two\\n"');
  });

  test('says so when it has nothing to work with', async () => {
    expect((await play(request([user('look')]))).text).toContain('none of them is offered');
  });
});

test('it streams piece by piece, and stops when the client leaves', async () => {
  const abort = new AbortController();
  const slow = createMock(5);
  const seen: string[] = [];
  const read = async () => {
    for await (const event of slow.scripted(request([user('one two three four')]), 'echo', abort.signal)) {
      seen.push(event.type);
      if (event.type === 'part-delta') abort.abort();
    }
  };
  await expect(read()).rejects.toThrow('aborted');
  expect(seen).toEqual(['response-start', 'part-start', 'part-delta']);
});

test('it is a provider like any other once the configuration names it', async () => {
  const scene = openScene();
  const provider = providerAt('mock', 'http://nowhere');
  const body = { model: 'mock/echo', messages: [{ role: 'user', content: 'hi' }] };
  const context = contextOf('openai-chat');
  const result = await heard(
    framesFor(scene, { provider, request: requestOf('openai-chat', body), context, model: 'echo' }),
  );
  expect(result.response.parts).toMatchObject([{ type: 'text', text: 'hi' }]);
  await scene.close();
});
