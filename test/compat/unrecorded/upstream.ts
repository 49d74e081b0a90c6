import { createServer, type ServerResponse } from 'node:http';
import { amazonFrame } from '../../../src/codecs/amazon-frames.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import { isObject } from '../../../src/model/json.ts';
import { bodyOf, onLoopback } from '../../support/loopback.ts';
import type { Unrecorded } from './unrecorded.ts';

/** Nothing that anybody writes ends where a piece of this size ends. */
const PIECE = 61;

export interface UnrecordedUpstream {
  readonly url: string;
  close(): Promise<void>;
}

/** Gives each answer to whoever asks for the model `unrecorded-<its place>`, in pieces that end anywhere. */
export async function startUnrecorded(answers: readonly Unrecorded[]): Promise<UnrecordedUpstream> {
  const server = createServer(async (incoming, response) => {
    const asked = `${incoming.url} ${await bodyOf(incoming)}`;
    const answer = answers[Number(/unrecorded-(\d+)/.exec(asked)?.[1])];
    if (answer) await write(answer, /stream(?:GenerateContent|"\s*:\s*true)|converse-stream/.test(asked), response);
    else response.writeHead(404).end('{}');
  });
  return onLoopback(server);
}

async function write(answer: Unrecorded, isStream: boolean, response: ServerResponse): Promise<void> {
  const { chunks, whole, format } = answer;
  if (whole && (!isStream || !chunks)) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(whole));
    return;
  }
  const isConverse = format === 'bedrock-converse';
  response.writeHead(200, { 'content-type': isConverse ? 'application/vnd.amazon.eventstream' : 'text/event-stream' });
  const bytes = wireOf(answer);
  for (let at = 0; at < bytes.length; at += PIECE) {
    await new Promise((resolve) => response.write(bytes.subarray(at, at + PIECE), resolve));
  }
  response.end();
}

/** The bytes of a stream. */
export function wireOf({ chunks = [], format }: Unrecorded): Buffer {
  if (typeof chunks === 'string') return Buffer.from(chunks);
  switch (format) {
    case 'bedrock-converse':
      return Buffer.concat(chunks.map(frameOf));
    case 'openai-chat':
      return Buffer.from(`${chunks.map(dataOf).join('')}data: [DONE]\n\n`);
    case 'gemini':
      return Buffer.from(chunks.map((chunk) => dataOf(chunk).replaceAll('\n', '\r\n')).join(''));
    default:
      return Buffer.from(chunks.map((chunk) => `event: ${String(chunk.type)}\n${dataOf(chunk)}`).join(''));
  }
}

const dataOf = (chunk: JsonObject): string => `data: ${JSON.stringify(chunk)}\n\n`;

function frameOf(event: JsonObject): Buffer {
  const [[type, payload] = ['', {}]] = Object.entries(event);
  const body = isObject(payload) ? payload : {};
  if (type !== 'exception') return amazonFrame(headers('event', type), JSON.stringify(body));
  return amazonFrame(headers('exception', String(body.type)), JSON.stringify({ message: body.message }));
}

const headers = (kind: string, type: string): Record<string, string> => ({
  [`:${kind}-type`]: type,
  ':content-type': 'application/json',
  ':message-type': kind,
});
