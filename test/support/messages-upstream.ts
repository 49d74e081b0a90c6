import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { bodyOf, onLoopback } from './loopback.ts';

export type Block =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'thinking'; readonly thinking: string; readonly signature: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: unknown };

/** An error in place of an answer. */
export interface MessagesRefusal {
  readonly status: number;
  readonly type: string;
  readonly error: string;
}

export interface MessagesBody {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
  readonly tools?: readonly { readonly name: string }[];
  readonly [field: string]: unknown;
}

export interface MessagesUpstream {
  readonly url: string;
  readonly bodies: MessagesBody[];
  readonly headers: IncomingMessage['headers'][];
  close(): Promise<void>;
}

/** An Anthropic Messages server on loopback that answers by what it is asked, whole or streamed. */
export async function startMessagesUpstream(
  answer: (body: MessagesBody, count: number) => readonly Block[] | MessagesRefusal,
): Promise<MessagesUpstream> {
  const bodies: MessagesBody[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const server = createServer(async (request, response) => {
    const sent = await bodyOf(request);
    if (request.method === 'GET') {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ data: [MODEL], has_more: false, first_id: MODEL.id, last_id: MODEL.id }));
      return;
    }
    if (request.url?.includes('count_tokens')) {
      response.setHeader('content-type', 'application/json');
      response.end('{"input_tokens":1234}');
      return;
    }
    // the script is the only client of this server's bodies
    const body = JSON.parse(sent.toString()) as MessagesBody;
    bodies.push(body);
    headers.push(request.headers);
    const blocks = answer(body, bodies.length);
    if ('status' in blocks) refuse(blocks, response);
    else if (body.stream) writeStream(blocks, body, bodies.length, response);
    else writeWhole(blocks, body, bodies.length, response);
  });
  return { ...(await onLoopback(server)), bodies, headers };
}

const MODEL = { type: 'model', id: 'claude-test', display_name: 'Claude Test', created_at: '2026-01-01T00:00:00Z' };

function refuse({ status, type, error }: MessagesRefusal, response: ServerResponse): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ type: 'error', error: { type, message: error } }));
}

const stopOf = (blocks: readonly Block[]) =>
  blocks.some((block) => block.type === 'tool_use') ? 'tool_use' : 'end_turn';

const headOf = (body: MessagesBody, count: number) => ({
  id: `msg_${count}`,
  type: 'message',
  role: 'assistant',
  model: body.model,
});

function writeWhole(blocks: readonly Block[], body: MessagesBody, count: number, response: ServerResponse): void {
  response.setHeader('content-type', 'application/json');
  response.end(
    JSON.stringify({
      ...headOf(body, count),
      content: blocks,
      stop_reason: stopOf(blocks),
      stop_sequence: null,
      usage: { input_tokens: 1000, output_tokens: 20 },
    }),
  );
}

function writeStream(blocks: readonly Block[], body: MessagesBody, count: number, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const event = (type: string, data: object) =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  const usage = { input_tokens: 1000, output_tokens: 1 };
  event('message_start', {
    message: { ...headOf(body, count), content: [], stop_reason: null, stop_sequence: null, usage },
  });
  event('ping', {});
  blocks.forEach((block, index) => {
    event('content_block_start', { index, content_block: opened(block) });
    for (const delta of deltasOf(block)) event('content_block_delta', { index, delta });
    event('content_block_stop', { index });
  });
  event('message_delta', {
    delta: { stop_reason: stopOf(blocks), stop_sequence: null },
    usage: { output_tokens: 20 },
  });
  event('message_stop', {});
  response.end();
}

function opened(block: Block): object {
  if (block.type === 'text') return { ...block, text: '' };
  if (block.type === 'thinking') return { ...block, thinking: '', signature: '' };
  return { ...block, input: {} };
}

function deltasOf(block: Block): object[] {
  if (block.type === 'text') return [{ type: 'text_delta', text: block.text }];
  if (block.type === 'thinking') {
    return [
      { type: 'thinking_delta', thinking: block.thinking },
      { type: 'signature_delta', signature: block.signature },
    ];
  }
  return (JSON.stringify(block.input).match(/.{1,9}/gs) ?? []).map((piece) => ({
    type: 'input_json_delta',
    partial_json: piece,
  }));
}
