import { createServer } from 'node:http';
import { bodyOf, onLoopback } from './loopback.ts';

/** A chat model on 127.0.0.1 that says "hi" to everything and remembers which tools it was offered. */
export async function offeredModel() {
  const toolNames: string[][] = [];
  const server = createServer(async (request, response) => {
    const body = (await bodyOf(request)).toString();
    const { tools = [], stream } = JSON.parse(body) as { tools?: { function: { name: string } }[]; stream?: boolean };
    toolNames.push(tools.map((tool) => tool.function.name));
    const whole = { id: 'c', object: 'chat.completion', created: 1, model: 'm' };
    const done = { index: 0, finish_reason: 'stop' };
    if (stream) {
      const chunk = { ...whole, object: 'chat.completion.chunk' };
      const first = { ...chunk, choices: [{ index: 0, delta: { role: 'assistant', content: 'hi' } }] };
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(
        `${[first, { ...chunk, choices: [{ ...done, delta: {} }] }]
          .map((each) => `data: ${JSON.stringify(each)}\n\n`)
          .join('')}data: [DONE]\n\n`,
      );
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ...whole, choices: [{ ...done, message: { role: 'assistant', content: 'hi' } }] }));
  });
  return { ...(await onLoopback(server)), toolNames };
}
