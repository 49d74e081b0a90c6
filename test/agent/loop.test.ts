import { describe, expect, test } from 'vitest';
import { agentLoop, type LoopOptions } from '../../src/agent/loop.ts';
import { PausedRuns } from '../../src/agent/paused-runs.ts';
import type { GatewayTools, ToolOutput } from '../../src/agent/tools.ts';
import { TranscriptMemory } from '../../src/agent/transcript-memory.ts';
import { codecs } from '../../src/codecs/index.ts';
import type { CallContext } from '../../src/model/call.ts';
import type { Message, Origin, Part, ToolCallPart } from '../../src/model/content.ts';
import { GatewayError } from '../../src/model/errors.ts';
import type { Frame, StreamEvent } from '../../src/model/event.ts';
import type { ChatRequest } from '../../src/model/request.ts';
import { foldAll } from '../../src/model/response.ts';
import { call, contextFor, requestFor, ScriptedModel, type Step, text } from '../support/scripted-model.ts';

const TOOLS = ['fs-list', 'fs-read', 'fs-write'];

class RecordedTools implements GatewayTools {
  readonly ran: ToolCallPart[] = [];
  readonly answers: Record<string, (call: ToolCallPart, context: CallContext) => Promise<ToolOutput>> = {};
  readonly manual: Set<string> = new Set();

  any = () => true;
  runsByItself = (name: string) => TOOLS.includes(name) && !this.manual.has(name);
  offered = (request: ChatRequest) =>
    TOOLS.filter((name) => !request.tools.some((tool) => tool.name === name)).map(
      (name) => ({ type: 'function', name, inputSchema: { type: 'object' }, owner: 'gateway' }) as const,
    );

  async run(toolCall: ToolCallPart, context: CallContext): Promise<ToolOutput> {
    this.ran.push(toolCall);
    const answer = this.answers[toolCall.name];
    return answer ? answer(toolCall, context) : { content: [text(`${toolCall.name} done`)], isError: false };
  }
}

interface Scene {
  readonly steps: Step[];
  readonly tools?: RecordedTools;
  readonly request?: Partial<ChatRequest>;
  readonly context?: Partial<CallContext>;
  readonly options?: Partial<LoopOptions>;
}

async function play({ steps, tools = new RecordedTools(), request, context, options }: Scene) {
  const model = new ScriptedModel(...steps);
  const loop = agentLoop({
    callModel: model.call,
    tools,
    memory: new TranscriptMemory(() => 0),
    paused: new PausedRuns(),
    maxDepth: 10,
    maxParallelTools: 8,
    showsTools: () => false,
    newId: () => 'child',
    ...options,
  });
  const events = await collect(loop(requestFor(request), contextFor(context)));
  model.done();
  return { model, tools, events, response: foldAll(events) };
}

async function collect(frames: AsyncIterable<Frame>): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for await (const frame of frames) events.push(...frame.events);
  return events;
}

const visible = (parts: readonly Part[]) =>
  parts.map((part) => {
    if (part.type === 'text') return part.text;
    if (part.type === 'tool-call') return `${part.owner ?? 'client'}:${part.name}`;
    if (part.type === 'tool-result') return `result:${part.callId}`;
    return part.type;
  });

const roles = (messages: readonly Message[]) => messages.map((message) => `${message.role}:${visible(message.parts)}`);

describe('an answer without tool calls', () => {
  test('flows through with its deltas and one end', async () => {
    const { events, response } = await play({ steps: [{ parts: [text('hello there')] }] });
    expect(response.parts).toEqual([text('hello there')]);
    expect(events.filter((event) => event.type === 'part-delta')).toHaveLength(2);
    expect(events.filter((event) => event.type === 'response-end')).toHaveLength(1);
  });

  test('a request that asks for several answers keeps its own tools', async () => {
    const raw = {
      codec: 'openai-chat',
      bytes: Buffer.alloc(0),
      body: { n: 2 },
      messageCount: 1,
      toolCount: 0,
    } as const;
    const { model } = await play({
      steps: [{ parts: [text('hi')] }],
      request: { raw: { ...raw, withModel: () => raw.bytes, has: () => false, member: () => undefined } },
    });
    expect(model.requests[0]?.tools).toEqual([]);
  });
});

describe('rounds of tools', () => {
  const rounds: Step[] = [
    { parts: [text('looking'), call('1', 'fs-list'), call('2', 'fs-read')] },
    { parts: [call('3', 'fs-write')] },
    { parts: [text('done')] },
  ];

  test('I1 I2 calls of the gateway never reach the client, and every round sees the rounds before it', async () => {
    const { model, response } = await play({ steps: rounds });
    expect(visible(response.parts)).toEqual(['looking', 'done']);
    expect(response.reason.kind).toBe('stop');
    expect(roles(model.requests[2]?.messages ?? [])).toEqual([
      'user:hello',
      'assistant:looking,client:fs-list,client:fs-read',
      'tool:result:1,result:2',
      'assistant:client:fs-write',
      'tool:result:3',
    ]);
  });

  test('usage is the sum of all rounds', async () => {
    const { response } = await play({ steps: rounds });
    expect(response.usage).toMatchObject({ input: 30, output: 15 });
  });

  test('pages that the last round names have their places in the text of all rounds', async () => {
    const groundingMetadata = {
      groundingChunks: [{ web: { uri: 'https://a.test', title: 'A' } }],
      groundingSupports: [{ segment: { startIndex: 0, endIndex: 4 }, groundingChunkIndices: [0] }],
    };
    const endOrigin: Origin = { codec: 'gemini', block: { candidates: [{ groundingMetadata }] } };
    const steps = [...rounds.slice(0, 2), { parts: [text('done')], endOrigin }];
    const chat = await play({ steps });
    expect(codecs['openai-chat'].encodeResponse(chat.response)).toMatchObject({
      choices: [
        { message: { content: 'lookingdone', annotations: [{ url_citation: { start_index: 7, end_index: 11 } }] } },
      ],
    });
    const gemini = await play({ steps, context: { dialect: 'gemini' } });
    expect(gemini.response.endOrigin).toBeUndefined();
  });

  test('pages that an earlier round names are told at the end, in their places', async () => {
    const page = (name: string): Origin => {
      const groundingChunks = [{ web: { uri: `https://${name}.test`, title: name } }];
      const groundingSupports = [{ segment: { startIndex: 0, endIndex: 4 }, groundingChunkIndices: [0] }];
      return {
        codec: 'gemini',
        block: { candidates: [{ groundingMetadata: { groundingChunks, groundingSupports } }] },
      };
    };
    const [first, second] = rounds;
    const steps = [
      { ...first, parts: first?.parts ?? [], endOrigin: page('a') },
      { ...second, parts: second?.parts ?? [], endOrigin: page('b') },
      { parts: [text('done')], endOrigin: page('c') },
    ];
    const { response } = await play({ steps });
    const cited = (name: string, start_index: number) => ({
      url_citation: { url: `https://${name}.test`, start_index, end_index: start_index + 4 },
    });
    expect(codecs['openai-chat'].encodeResponse(response)).toMatchObject({
      choices: [{ message: { content: 'lookingdone', annotations: [cited('a', 0), cited('c', 7)] } }],
    });
  });

  test('I3 every round offers the same tools', async () => {
    const { model } = await play({ steps: rounds });
    for (const request of model.requests) expect(request.tools.map((tool) => tool.name)).toEqual(TOOLS);
  });

  test('tools that appear while the loop runs stand behind the others from the next round on', async () => {
    const tools = new RecordedTools();
    const late = { type: 'function', name: 'fs-late', inputSchema: {}, owner: 'gateway' } as const;
    Object.assign(tools, {
      appeared: (request: ChatRequest) => (request.tools.some(({ name }) => name === late.name) ? [] : [late]),
      runsByItself: () => true,
    });
    const { model } = await play({
      steps: [...rounds.slice(0, 1), { parts: [call('n', 'fs-late')] }, { parts: [] }],
      tools,
    });
    expect(model.requests.map((request) => request.tools.map(({ name }) => name))).toEqual([
      TOOLS,
      [...TOOLS, 'fs-late'],
      [...TOOLS, 'fs-late'],
    ]);
    expect(tools.ran.at(-1)?.name).toBe('fs-late');
  });

  test('part indexes count through all rounds', async () => {
    const { events } = await play({ steps: rounds });
    const starts = events.flatMap((event) => (event.type === 'part-start' ? [event.index] : []));
    expect(starts).toEqual([0, 1]);
  });

  test('text flows before the turn is over', async () => {
    const model = new ScriptedModel(...rounds);
    const seen: string[] = [];
    const tools = new RecordedTools();
    const loop = agentLoop({
      callModel: model.call,
      tools,
      memory: new TranscriptMemory(() => 0),
      paused: new PausedRuns(),
      maxDepth: 3,
      maxParallelTools: 1,
      showsTools: () => false,
      newId: () => 'child',
    });
    for await (const frame of loop(requestFor(), contextFor())) {
      for (const event of frame.events)
        if (event.type === 'part-delta') seen.push(`${event.delta}@${tools.ran.length}`);
    }
    expect(seen).toEqual(['look@0', 'ing@0', 'do@3', 'ne@3']);
  });

  test('rounds after the first are child calls in the log', async () => {
    const { model } = await play({ steps: rounds });
    expect(model.contexts.map(({ requestId, parentId }) => [requestId, parentId])).toEqual([
      ['request-1', undefined],
      ['child', 'request-1'],
      ['child', 'request-1'],
    ]);
  });

  test('B5 results keep call order whatever ends first', async () => {
    const tools = new RecordedTools();
    let releaseFirst = () => {};
    const first = new Promise<void>((resolve) => {
      releaseFirst = resolve;
    });
    tools.answers['fs-list'] = async () => {
      await first;
      return { content: [text('slow')], isError: false };
    };
    tools.answers['fs-read'] = async () => {
      releaseFirst();
      return { content: [text('quick')], isError: false };
    };
    const { model } = await play({ steps: rounds, tools });
    const results = model.requests[1]?.messages.at(-1)?.parts ?? [];
    expect(results.map((part) => part.type === 'tool-result' && part.content)).toEqual([
      [text('slow')],
      [text('quick')],
    ]);
  });

  test('a tool that fails is a result, and the model goes on', async () => {
    const tools = new RecordedTools();
    tools.answers['fs-write'] = async () => {
      throw new GatewayError('timeout', 'MCP tool call timed out after 30s: fs-write');
    };
    const { model, response } = await play({ steps: rounds, tools });
    expect(model.requests[2]?.messages.at(-1)?.parts[0]).toMatchObject({
      isError: true,
      content: [text('Error executing tool fs-write: MCP tool call timed out after 30s: fs-write')],
    });
    expect(visible(response.parts)).toEqual(['looking', 'done']);
  });

  test('E5 a forced tool choice is relaxed after the first round', async () => {
    const { model } = await play({ steps: rounds, request: { toolChoice: { type: 'required' } } });
    expect(model.requests.map((request) => request.toolChoice?.type)).toEqual(['required', 'auto', 'auto']);
  });

  test('I7 max depth N allows N rounds of tools and N+1 calls of the model', async () => {
    const again: Step = { parts: [call('x', 'fs-list')] };
    const { tools, response } = await play({ steps: [again, again, again], options: { maxDepth: 2 } });
    expect(tools.ran).toHaveLength(2);
    expect(visible(response.parts)).toEqual(['client:fs-list']);
    expect(response.reason.kind).toBe('tool-calls');
  });

  test('an error of a later round reaches the client as an error', async () => {
    const error = new GatewayError('overloaded', 'the model is busy');
    await expect(play({ steps: [{ parts: [call('1', 'fs-list')] }, { error }] })).rejects.toThrow('the model is busy');
  });

  test('a cancelled request stops before the next round', async () => {
    const abort = new AbortController();
    const tools = new RecordedTools();
    tools.answers['fs-list'] = async () => {
      abort.abort();
      return { content: [], isError: false };
    };
    const scene = { steps: [{ parts: [call('1', 'fs-list')] }], tools, context: { signal: abort.signal } };
    await expect(play(scene)).rejects.toThrow();
  });

  test('a fallback that answered keeps the conversation', async () => {
    const steps: Step[] = [
      { parts: [call('1', 'fs-list')], fallback: { provider: 'other', model: 'n' } },
      { parts: [text('done')] },
    ];
    const { model } = await play({ steps });
    expect(model.requests.map((request) => request.model)).toEqual(['scripted/m', 'other/n']);
  });
});

describe('mixed turns', () => {
  const mixed: Step = {
    parts: [text('both'), call('g', 'fs-read', '{"path":"a"}'), call('c', 'Bash', '{"command":"ls"}')],
  };

  test('I5 ours run, the client gets only its own calls and the tool finish', async () => {
    const { tools, response } = await play({ steps: [mixed] });
    expect(tools.ran.map((ran) => ran.id)).toEqual(['g']);
    expect(visible(response.parts)).toEqual(['both', 'client:Bash']);
    expect(response.reason.kind).toBe('tool-calls');
  });

  test('what ran comes back before the model when the client brings its results', async () => {
    const memory = new TranscriptMemory(() => 0);
    const first: Step = { parts: [text('start'), call('0', 'fs-list')] };
    await play({ steps: [first, mixed], options: { memory } });
    const { model } = await play({
      steps: [{ parts: [text('thanks')] }],
      options: { memory },
      request: {
        messages: [
          { role: 'user', parts: [text('hello')] },
          { role: 'assistant', parts: [text('startboth'), call('c', 'Bash', '{"command":"ls"}')] },
          { role: 'tool', parts: [{ type: 'tool-result', callId: 'c', content: [text('files')], isError: false }] },
        ],
      },
    });
    expect(roles(model.requests[0]?.messages ?? [])).toEqual([
      'user:hello',
      'assistant:start,client:fs-list',
      'tool:result:0',
      'assistant:both,client:fs-read,client:Bash',
      'tool:result:g',
      'tool:result:c',
    ]);
    expect(model.requests[0]?.raw).toBeUndefined();
  });

  test("another caller's memory is never put into a request", async () => {
    const memory = new TranscriptMemory(() => 0);
    await play({ steps: [mixed], options: { memory }, context: { caller: { virtualKey: 'a', forwardHeaders: {} } } });
    const messages = [{ role: 'assistant', parts: [call('c', 'Bash')] }] as const;
    const { model } = await play({ steps: [{ parts: [text('hi')] }], options: { memory }, request: { messages } });
    expect(model.requests[0]?.messages).toEqual(messages);
  });

  test('a client that is shown what ran needs no memory', async () => {
    const memory = new TranscriptMemory(() => 0);
    const { response } = await play({ steps: [mixed], options: { memory, showsTools: () => true } });
    expect(visible(response.parts)).toEqual(['both', 'gateway:fs-read', 'result:g', 'client:Bash']);
    expect(response.parts[1]).toMatchObject({ turn: { round: 0, mixed: true }, input: '{"path":"a"}' });
    expect(memory.isEmpty).toBe(true);
  });

  test('I6 whole rounds are shown as they run', async () => {
    const steps = [{ parts: [text('a'), call('1', 'fs-list')] }, { parts: [text('b')] }];
    const { response } = await play({ steps, options: { showsTools: () => true } });
    expect(visible(response.parts)).toEqual(['a', 'gateway:fs-list', 'result:1', 'b']);
    expect(response.reason.kind).toBe('stop');
  });

  test("a gateway tool that needs the caller's consent goes back like the client's own", async () => {
    const tools = new RecordedTools();
    tools.manual.add('fs-write');
    const { response } = await play({ steps: [{ parts: [call('w', 'fs-write')] }], tools });
    expect(tools.ran).toEqual([]);
    expect(visible(response.parts)).toEqual(['client:fs-write']);
  });

  test('I4 leave that is taken back while the loop runs counts from the next round on', async () => {
    const tools = new RecordedTools();
    tools.answers['fs-list'] = async () => {
      tools.manual.add('fs-list');
      return { content: [text('listed')], isError: false };
    };
    const again: Step = { parts: [call('l', 'fs-list')] };
    const { response } = await play({ steps: [again, again], tools });
    expect(tools.ran).toHaveLength(1);
    expect(visible(response.parts)).toEqual(['client:fs-list']);
  });

  test("a client's own tool with a gateway tool's name stays the client's", async () => {
    const own = { type: 'function', name: 'fs-read', inputSchema: {}, owner: 'client' } as const;
    const { tools, response } = await play({ steps: [{ parts: [call('1', 'fs-read')] }], request: { tools: [own] } });
    expect(tools.ran).toEqual([]);
    expect(visible(response.parts)).toEqual(['client:fs-read']);
  });

  test('a call cut off by the output limit is dropped when it was ours', async () => {
    const steps: Step[] = [{ parts: [text('a'), call('1', 'fs-read', '{"pa')], reason: 'length' }];
    const { tools, response } = await play({ steps });
    expect(tools.ran).toEqual([]);
    expect(visible(response.parts)).toEqual(['a']);
    expect(response.reason.kind).toBe('length');
  });
});
