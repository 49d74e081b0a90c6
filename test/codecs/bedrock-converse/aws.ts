import { Readable } from 'node:stream';
import {
  BedrockRuntimeClient,
  ConverseCommand,
  type ConverseCommandInput,
  ConverseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { converseFraming } from '../../../src/codecs/bedrock-converse/framing.ts';
import { bedrockConverse } from '../../../src/codecs/bedrock-converse/index.ts';
import type { StreamEvent } from '../../../src/model/event.ts';
import { isObject, type JsonObject, type JsonValue } from '../../../src/model/json.ts';

interface Sent {
  readonly body: string | Uint8Array;
}

interface Scripted {
  readonly type: string;
  readonly pieces: readonly Uint8Array[];
}

let answer: Scripted;
let sent: Sent | undefined;

/** AWS's client with our bytes in place of a network; calls come one after the other. */
const client = new BedrockRuntimeClient({
  region: 'us-east-1',
  credentials: { accessKeyId: 'A', secretAccessKey: 'B' },
  maxAttempts: 1,
  requestHandler: {
    metadata: { handlerProtocol: 'http/1.1' },
    handle: async (request: Sent) => {
      sent = request;
      const headers = { 'content-type': answer.type };
      return { response: { statusCode: 200, headers, body: Readable.from([...answer.pieces]) } };
    },
  },
});

const EMPTY = Buffer.from('{"output":{"message":{"role":"assistant","content":[]}},"stopReason":"end_turn"}');

/** A body as AWS's serializer writes it again: what it does not know of is gone. */
export async function writtenByAws(body: JsonObject): Promise<JsonObject> {
  const input = { modelId: 'm', ...objectWithBytes(body) } as unknown as ConverseCommandInput;
  answer = { type: 'application/json', pieces: [EMPTY] };
  await client.send(new ConverseCommand(input));
  return JSON.parse(bodyText(sent?.body));
}

// the SDK warns of whoever takes its bytes for a text, which Buffer.from does when it looks at them
const bodyText = (body: string | Uint8Array = ''): string =>
  typeof body === 'string' ? body : new TextDecoder().decode(body);

const objectWithBytes = (value: JsonObject): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withBytes(key, inner)]));

/** AWS's types hold bytes where JSON holds base64; documents of the user's own making stay as they are. */
function withBytes(key: string, value: JsonValue | undefined): unknown {
  if ((key === 'bytes' || key === 'redactedContent') && typeof value === 'string') return Buffer.from(value, 'base64');
  if (key === 'input' || key === 'json' || key === 'additionalModelRequestFields') return value;
  if (Array.isArray(value)) return value.map((item) => withBytes('', item));
  return isObject(value) ? objectWithBytes(value) : value;
}

export interface ReadByAws {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: unknown }[];
  readonly finish: string;
  readonly outputTokens: number;
}

/** A stream as AWS's SDK reads it, its frames in pieces of `pieceSize`. */
export async function streamReadByAws(events: readonly StreamEvent[], pieceSize = 1_000): Promise<ReadByAws> {
  const write = converseFraming.writer();
  const bytes = Buffer.concat(events.map(bedrockConverse.encodeStream({ model: 'm' })).map(write));
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieceSize) pieces.push(bytes.subarray(at, at + pieceSize));
  answer = { type: converseFraming.contentType, pieces };
  const { stream } = await client.send(new ConverseStreamCommand({ modelId: 'm', messages: [] }));
  const read = { text: '', reasoning: '', finish: '', outputTokens: 0 };
  const calls = new Map<number, { id: string; name: string; input: string }>();
  let open: number | undefined;
  for await (const event of stream ?? []) {
    const { contentBlockStart: start, contentBlockDelta: delta, contentBlockStop: stop, messageStop, metadata } = event;
    const place = start?.contentBlockIndex ?? delta?.contentBlockIndex ?? stop?.contentBlockIndex;
    if (place !== undefined && open !== undefined && place !== open)
      throw new Error(`block ${place} began inside of ${open}`);
    if (place !== undefined) open = stop ? undefined : place;
    const call = start?.start?.toolUse;
    if (call) calls.set(place ?? 0, { id: call.toolUseId ?? '', name: call.name ?? '', input: '' });
    read.text += delta?.delta?.text ?? '';
    read.reasoning += delta?.delta?.reasoningContent?.text ?? '';
    const growing = calls.get(place ?? -1);
    if (growing) growing.input += delta?.delta?.toolUse?.input ?? '';
    read.finish = messageStop?.stopReason ?? read.finish;
    read.outputTokens = metadata?.usage?.outputTokens ?? read.outputTokens;
  }
  if (open !== undefined) throw new Error(`block ${open} was never stopped`);
  const called = [...calls.values()].map(({ input, ...call }) => ({ ...call, arguments: JSON.parse(input || '{}') }));
  return { ...read, calls: called };
}

/** A whole answer as AWS's SDK reads it. */
export async function wholeReadByAws(body: JsonObject): Promise<ReadByAws> {
  answer = { type: 'application/json', pieces: [Buffer.from(JSON.stringify(body))] };
  const { output, stopReason, usage } = await client.send(new ConverseCommand({ modelId: 'm', messages: [] }));
  const content = output?.message?.content ?? [];
  return {
    text: content.map(({ text }) => text ?? '').join(''),
    reasoning: content.map(({ reasoningContent }) => reasoningContent?.reasoningText?.text ?? '').join(''),
    calls: content.flatMap(({ toolUse }) =>
      toolUse ? [{ id: toolUse.toolUseId ?? '', name: toolUse.name ?? '', arguments: toolUse.input }] : [],
    ),
    finish: stopReason ?? '',
    outputTokens: usage?.outputTokens ?? 0,
  };
}
