import { existsSync, writeFileSync } from 'node:fs';
import { completable } from '@modelcontextprotocol/sdk/server/completable.js';
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import {
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';

const text = (value) => ({ content: [{ type: 'text', text: String(value) }] });

const NAME = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };

/** The surface of the table of eras, on the first major of the SDK: as `modern-tools.mjs` has it on the second. */
export function newLegacyServer() {
  const server = new McpServer(
    { name: 'table', version: '1.0.0' },
    {
      capabilities: { tools: { listChanged: true }, resources: { subscribe: true }, logging: {} },
      instructions: 'Look, and touch.',
    },
  );
  const inner = server.server;
  const tool = (name, inputSchema, run, more = {}) =>
    server.registerTool(name, { description: `The tool ${name}`, inputSchema, ...more }, run);

  tool('echo', { value: z.string() }, ({ value }) => text(value), { annotations: { readOnlyHint: true } });
  tool('meta', {}, (_, extra) => text(JSON.stringify(extra._meta ?? {})));
  tool('progress', { steps: z.number() }, async ({ steps }, extra) => {
    const progressToken = extra._meta?.progressToken;
    for (let progress = 1; progress <= steps; progress += 1) {
      const params = { progressToken, progress, total: steps };
      await extra.sendNotification({ method: 'notifications/progress', params });
    }
    return text('done');
  });
  tool('cancellable', { file: z.string() }, ({ file }, extra) => {
    return new Promise((resolve) => {
      extra.signal.addEventListener('abort', () => {
        writeFileSync(file, 'cancelled');
        resolve(text('never seen'));
      });
      writeFileSync(file, 'started');
    });
  });
  const related = (extra) => ({ relatedRequestId: extra.requestId });
  tool('elicit', {}, async (_, extra) => {
    const params = { message: 'Who are you?', requestedSchema: NAME };
    const given = await inner.elicitInput(params, related(extra));
    return text(given.action === 'accept' ? `Hello ${given.content.name}` : `no name: ${given.action}`);
  });
  tool('sample', { question: z.string() }, async ({ question }, extra) => {
    const messages = [{ role: 'user', content: { type: 'text', text: question } }];
    const answer = await inner.createMessage({ messages, maxTokens: 10 }, related(extra));
    return text(`${answer.model}: ${answer.content.text}`);
  });
  tool('roots', {}, async (_, extra) => {
    const given = await inner.listRoots(undefined, related(extra));
    return text(given.roots.map(({ uri }) => uri).join(' '));
  });
  const visited = new Set();
  tool('visit', { id: z.string() }, ({ id }) => {
    if (visited.has(id)) return text('visited');
    visited.add(id);
    const url = `https://example.com/${id}`;
    throw new UrlElicitationRequiredError([{ mode: 'url', message: 'Log in', url, elicitationId: id }]);
  });
  tool('add_tool', { name: z.string() }, async ({ name }) => {
    tool(name, {}, () => text(`extra ${name}`));
    return text('added');
  });
  tool('touch', { uri: z.string() }, async ({ uri }) => {
    await inner.sendResourceUpdated({ uri });
    return text('touched');
  });
  // the file says whether it ran
  tool('once', { file: z.string() }, ({ file }) => {
    if (existsSync(file)) return text('again');
    writeFileSync(file, 'ran');
    return text('first');
  });

  inner.setRequestHandler(SubscribeRequestSchema, () => ({}));
  inner.setRequestHandler(UnsubscribeRequestSchema, () => ({}));
  server.registerResource('note', 'test://note', { mimeType: 'text/plain' }, (uri) => ({
    contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'a note' }],
  }));
  const complete = { id: (value) => ['one', 'two', 'three'].filter((id) => id.startsWith(value)) };
  const items = new ResourceTemplate('test://items/{id}', { list: undefined, complete });
  server.registerResource('item', items, {}, (uri, { id }) => ({ contents: [{ uri: uri.href, text: `item ${id}` }] }));

  const style = completable(z.string(), (value) => ['plain', 'poem'].filter((each) => each.startsWith(value)));
  server.registerPrompt('greet', { argsSchema: { style } }, ({ style: chosen }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Greet in ${chosen}` } }],
  }));
  return server;
}
