import { existsSync, writeFileSync } from 'node:fs';
import { acceptedContent, completable, inputRequired, McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import { z } from 'zod';

const text = (value) => ({ content: [{ type: 'text', text: String(value) }] });

const NAME = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };

/**
 * The surface of the table of eras, on the second major of the SDK. `notify` tells of changes; it is the HTTP handler's,
 * as there an instance lives for one request only. `state` outlives instances.
 */
export function newModernServer(state = { extra: [] }, notify = undefined) {
  const server = new McpServer(
    { name: 'table', version: '2.0.0' },
    {
      capabilities: { tools: { listChanged: true }, resources: { subscribe: true }, logging: {} },
      instructions: 'Look, and touch.',
    },
  );
  const tool = (name, inputSchema, run, more = {}) =>
    server.registerTool(name, { description: `The tool ${name}`, inputSchema: z.object(inputSchema), ...more }, run);

  tool('echo', { value: z.string() }, ({ value }) => text(value), { annotations: { readOnlyHint: true } });
  tool('meta', {}, (_, ctx) => text(JSON.stringify(ctx.mcpReq.envelope ?? {})));
  tool('progress', { steps: z.number() }, async ({ steps }, ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    for (let progress = 1; progress <= steps; progress += 1) {
      const params = { progressToken, progress, total: steps };
      await ctx.mcpReq.notify({ method: 'notifications/progress', params });
    }
    return text('done');
  });
  tool('cancellable', { file: z.string() }, ({ file }, ctx) => {
    const { signal } = ctx.mcpReq;
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        writeFileSync(file, 'cancelled');
        resolve(text('never seen'));
      });
      writeFileSync(file, 'started');
    });
  });
  tool('elicit', {}, (_, ctx) => {
    const { inputResponses } = ctx.mcpReq;
    const given = acceptedContent(inputResponses, 'who');
    if (given) return text(`Hello ${given.name}`);
    if (inputResponses?.who) return text(`no name: ${inputResponses.who.action}`);
    const who = inputRequired.elicit({ message: 'Who are you?', requestedSchema: NAME });
    return inputRequired({ inputRequests: { who }, requestState: 'asked' });
  });
  tool('sample', { question: z.string() }, ({ question }, ctx) => {
    const answer = ctx.mcpReq.inputResponses?.thought;
    if (answer) return text(`${answer.model}: ${answer.content.text}`);
    const messages = [{ role: 'user', content: { type: 'text', text: question } }];
    const thought = inputRequired.createMessage({ messages, maxTokens: 10 });
    return inputRequired({ inputRequests: { thought } });
  });
  tool('roots', {}, (_, ctx) => {
    const given = ctx.mcpReq.inputResponses?.places;
    if (given) return text(given.roots.map(({ uri }) => uri).join(' '));
    return inputRequired({ inputRequests: { places: inputRequired.listRoots() } });
  });
  tool('add_tool', { name: z.string() }, async ({ name }) => {
    state.extra.push(name);
    tool(name, {}, () => text(`extra ${name}`));
    notify?.().toolsChanged();
    return text('added');
  });
  tool('touch', { uri: z.string() }, async ({ uri }) => {
    if (notify) notify().resourceUpdated(uri);
    else await server.server.sendResourceUpdated({ uri });
    return text('touched');
  });
  // the file says whether it ran
  tool('once', { file: z.string() }, ({ file }) => {
    if (existsSync(file)) return text('again');
    writeFileSync(file, 'ran');
    return text('first');
  });
  for (const name of state.extra) tool(name, {}, () => text(`extra ${name}`));

  server.registerResource('note', 'test://note', { mimeType: 'text/plain' }, (uri) => ({
    contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'a note' }],
  }));
  const complete = { id: (value) => ['one', 'two', 'three'].filter((id) => id.startsWith(value)) };
  const items = new ResourceTemplate('test://items/{id}', { list: undefined, complete });
  server.registerResource('item', items, {}, (uri, { id }) => ({ contents: [{ uri: uri.href, text: `item ${id}` }] }));

  const style = completable(z.string(), (value) => ['plain', 'poem'].filter((each) => each.startsWith(value)));
  server.registerPrompt('greet', { argsSchema: z.object({ style }) }, ({ style: chosen }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Greet in ${chosen}` } }],
  }));
  return server;
}
