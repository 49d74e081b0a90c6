import { setTimeout as sleep } from 'node:timers/promises';
import type { Message, Part, ToolCallPart } from '../model/content.ts';
import type { StreamEvent } from '../model/event.ts';
import { type JsonObject, ownValue } from '../model/json.ts';
import type { ChatRequest } from '../model/request.ts';
import type { Usage } from '../model/usage.ts';
import type { ScriptedDeployment } from './provider.ts';

// A scripted model for demonstrations and tests without keys. It is no model: it plays the scripts below, and is there
// only where the configuration has a provider named "mock".

const DELAY_MS = 15;
const NOTE_PATH = 'gateway-demo.md';

/** What a script says in one turn. */
interface Turn {
  readonly text: string;
  readonly call?: { readonly name: string; readonly input: JsonObject };
}

const SCRIPTS: Readonly<Record<string, (request: ChatRequest) => Turn>> = { echo: echo, agent: agent };

export const mockDeployment: ScriptedDeployment = createMock(DELAY_MS);

/** `delayMs` lies between two pieces of an answer, so that streaming can be seen. */
export function createMock(delayMs: number): ScriptedDeployment {
  return {
    name: 'mock',
    models: Object.keys(SCRIPTS),
    scripted: (request, model, signal) =>
      play(request, model, (ownValue(SCRIPTS, model) ?? echo)(request), delayMs, signal),
  };
}

async function* play(
  request: ChatRequest,
  model: string,
  turn: Turn,
  delayMs: number,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  const answers = request.messages.filter(({ role }) => role === 'assistant').length;
  const id = `mock-${answers + 1}`;
  yield { type: 'response-start', id, model };
  yield* growing(0, { type: 'text', text: '' }, piecesOf(turn.text), delayMs, signal);
  if (turn.call) {
    const call: ToolCallPart = { type: 'tool-call', id: `call_${id}`, name: turn.call.name, input: '' };
    yield* growing(1, call, piecesOf(JSON.stringify(turn.call.input)), delayMs, signal);
  }
  yield {
    type: 'response-end',
    reason: { kind: turn.call ? 'tool-calls' : 'stop' },
    usage: usageOf(request, turn),
  };
}

async function* growing(
  index: number,
  part: Part,
  pieces: readonly string[],
  delayMs: number,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  yield { type: 'part-start', index, part };
  for (const delta of pieces) {
    if (delayMs > 0) await sleep(delayMs, undefined, { signal });
    yield { type: 'part-delta', index, delta };
  }
  yield { type: 'part-end', index };
}

/** Words with the space behind them, as models stream. */
const piecesOf = (text: string): readonly string[] => text.match(/\S+\s*|\s+/g) ?? [];

function usageOf({ messages }: ChatRequest, turn: Turn): Usage {
  const asked = messages.reduce((sum, message) => sum + textOf(message).length, 0);
  const said = turn.text.length + (turn.call ? JSON.stringify(turn.call.input).length : 0);
  return { input: tokens(asked), output: tokens(said), cacheRead: 0, cacheWrite: 0, reasoning: 0 };
}

/** Four characters to a token: near enough for a script. */
const tokens = (characters: number): number => Math.max(1, Math.ceil(characters / 4));

const textOf = ({ parts }: Message): string =>
  parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');

/** What the user said last, and what happened since. */
function lastAsk({ messages }: ChatRequest): { text: string; since: readonly Message[] } {
  const at = messages.findLastIndex((message) => message.role === 'user' && textOf(message).trim() !== '');
  const asked = messages[at];
  return { text: asked ? textOf(asked).trim() : '', since: messages.slice(at + 1) };
}

function echo(request: ChatRequest): Turn {
  return { text: lastAsk(request).text || 'Say something, and this scripted model says it back.' };
}

/** Looks into the folder, writes what the user said to a file, reads it back, and reports. */
function agent(request: ChatRequest): Turn {
  const { text, since } = lastAsk(request);
  const done = new Map(since.flatMap(resultsIn(since)));
  const offered = new Set(request.tools.map(({ name }) => name));
  const next = stepsFor(text).find(({ name }) => offered.has(name) && !done.has(name));
  if (next) return { text: next.why, call: { name: next.name, input: next.input } };
  if (done.size === 0) {
    return {
      text: 'This scripted agent works with the filesystem tools, and none of them is offered in this request.',
    };
  }
  const lines = [...done].map(([name, result]) => `- ${name}: ${result}`);
  return {
    text: `Done. I ran ${done.size === 1 ? '1 tool' : `${done.size} tools`}, this is what came:\n\n${lines.join('\n')}\n`,
  };
}

const stepsFor = (text: string): readonly { name: string; why: string; input: JsonObject }[] => [
  { name: 'filesystem-list_directory', why: 'First I look at what is there. ', input: { path: '.' } },
  {
    name: 'filesystem-create_file',
    why: 'Now I write down what you said. ',
    input: { path: NOTE_PATH, content: `${text}\n`, overwrite: true },
  },
  { name: 'filesystem-read_file', why: 'I read it back to be sure. ', input: { path: NOTE_PATH } },
];

/** Names of the tools called in these messages, each with the first line of its result. */
const resultsIn =
  (messages: readonly Message[]) =>
  (message: Message): [name: string, result: string][] =>
    message.parts.flatMap((part): [string, string][] => {
      if (part.type !== 'tool-result') return [];
      const call = messages
        .flatMap(({ parts }) => parts)
        .find((candidate) => candidate.type === 'tool-call' && candidate.id === part.callId);
      if (call?.type !== 'tool-call') return [];
      const result = part.content.flatMap((inner) => (inner.type === 'text' ? [inner.text] : [])).join(' ');
      return [[call.name, `${part.isError ? 'failed: ' : ''}${shortened(result)}`]];
    });

function shortened(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ');
  return line.length <= 100 ? line : `${line.slice(0, 100)}…`;
}
