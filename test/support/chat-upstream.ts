import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { bodyOf, onLoopback } from './loopback.ts';

/** A Chat Completions answer, as a script says it. */
export interface ChatAnswer {
  readonly text?: string;
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly input: unknown }[];
  /** An error instead: its status and body. */
  readonly status?: number;
  readonly error?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Breaks the connection after the text, before any finish. */
  readonly cut?: boolean;
  /** Stays open after the text; a whole answer never comes. */
  readonly open?: boolean;
}

export interface ChatMessage {
  readonly role: string;
  readonly content?: unknown;
  readonly tool_calls?: readonly {
    readonly id: string;
    readonly function: { readonly name: string; readonly arguments: string };
  }[];
  readonly tool_call_id?: string;
}

export interface ChatBody {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly { readonly function: { readonly name: string } }[];
  readonly [field: string]: unknown;
}

export interface ChatUpstream {
  readonly url: string;
  readonly bodies: ChatBody[];
  readonly headers: IncomingMessage['headers'][];
  close(): Promise<void>;
}

/** A Chat Completions server on loopback that answers by what it is asked, whole or streamed. */
export async function startChatUpstream(answer: (body: ChatBody, count: number) => ChatAnswer): Promise<ChatUpstream> {
  const bodies: ChatBody[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const server = createServer(async (request, response) => {
    const sent = await bodyOf(request);
    if (request.method === 'GET') {
      response.end(
        JSON.stringify({ object: 'list', data: [{ id: 'gpt-4o', object: 'model', created: 1, owned_by: 'x' }] }),
      );
      return;
    }
    // the script is the only client of this server's bodies
    const body = JSON.parse(sent.toString()) as ChatBody;
    bodies.push(body);
    headers.push(request.headers);
    write(answer(body, bodies.length), body, bodies.length, response);
  });
  const { url, close } = await onLoopback(server);
  return { url: `${url}/v1`, bodies, headers, close };
}

function write(answer: ChatAnswer, body: ChatBody, count: number, response: ServerResponse): void {
  if (answer.status !== undefined) {
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(JSON.stringify({ error: { message: answer.error ?? 'refused', type: 'error', code: null } }));
    return;
  }
  if (answer.open && !body.stream) return;
  if (body.stream) writeStream(answer, body, count, response);
  else writeWhole(answer, body, count, response);
}

const USAGE = { prompt_tokens: 1000, completion_tokens: 20, total_tokens: 1020 };

function writeWhole({ text, calls }: ChatAnswer, body: ChatBody, count: number, response: ServerResponse): void {
  response.setHeader('content-type', 'application/json');
  response.end(
    JSON.stringify({
      id: `chatcmpl-${count}`,
      object: 'chat.completion',
      created: 1,
      model: body.model,
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: text ?? null,
            ...(calls && {
              tool_calls: calls.map(({ id, name, input }) => ({
                id,
                type: 'function',
                function: { name, arguments: JSON.stringify(input) },
              })),
            }),
          },
          finish_reason: calls ? 'tool_calls' : 'stop',
        },
      ],
      usage: USAGE,
    }),
  );
}

function writeStream(
  { text = '', calls = [], cut, open }: ChatAnswer,
  body: ChatBody,
  count: number,
  response: ServerResponse,
): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const chunk = (choices: unknown[], extra = {}) =>
    response.write(
      `data: ${JSON.stringify({ id: `chatcmpl-${count}`, object: 'chat.completion.chunk', created: 1, model: body.model, choices, ...extra })}\n\n`,
    );
  const delta = (value: unknown, finish: string | null = null) =>
    chunk([{ index: 0, delta: value, finish_reason: finish }]);
  delta({ role: 'assistant', content: '' });
  for (const piece of text.match(/.{1,7}/gs) ?? []) delta({ content: piece });
  if (cut) {
    setTimeout(() => response.destroy(), 50);
    return;
  }
  if (open) return;
  calls.forEach(({ id, name, input }, index) => {
    delta({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] });
    for (const piece of JSON.stringify(input).match(/.{1,9}/gs) ?? []) {
      delta({ tool_calls: [{ index, function: { arguments: piece } }] });
    }
  });
  delta({}, calls.length > 0 ? 'tool_calls' : 'stop');
  chunk([], { usage: USAGE });
  response.end('data: [DONE]\n\n');
}
