import { spawn } from 'node:child_process';
import { closeSync, existsSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

/** The behaviours of the test servers, one tool each. Every transport serves the same ones. */

const text = (value) => ({ content: [{ type: 'text', text: String(value) }] });

const ANNOTATIONS = {
  crash_once: { idempotentHint: true },
  peek: { readOnlyHint: true },
  put: { idempotentHint: true },
  destroy: { destructiveHint: true, idempotentHint: false },
};

const TOOLS = {
  echo: ({ value }) => text(value),
  peek: () => text('seen'),
  put: () => text('put'),
  destroy: () => text('destroyed'),
  slow: async ({ ms, value }) => {
    await sleep(ms);
    return text(value);
  },
  hang: () => new Promise(() => {}),
  crash: () => process.exit(7),
  /** Stops talking, and lives on. */
  mute: () => {
    setInterval(() => {}, 1_000);
    process.stdout.end();
    closeSync(1);
    return new Promise(() => {});
  },
  crash_once: ({ file }) => {
    if (existsSync(file)) return text('second time');
    writeFileSync(file, 'crashed');
    process.exit(7);
  },
  big: ({ length }) => text('x'.repeat(length)),
  fail: () => ({ ...text('it went wrong'), isError: true }),
  structured: () => ({ content: [], structuredContent: { answer: 42 } }),
  bad_structured: () => ({ ...text('no'), structuredContent: { answer: 'not a number' }, isError: true }),
  environment: () => text(JSON.stringify(process.env)),
  folder: () => text(process.cwd()),
  stderr: ({ lines }) => {
    for (let line = 1; line <= lines; line += 1) process.stderr.write(`line ${line}\n`);
    return text('written');
  },
  grandchild: () => {
    const child = spawn(process.execPath, ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"], {
      stdio: 'ignore',
    });
    return text(child.pid);
  },
  progress: async ({ steps, everyMs }, extra) => {
    const progressToken = extra._meta?.progressToken;
    for (let step = 1; step <= steps; step += 1) {
      await sleep(everyMs);
      const params = { progressToken, progress: step, total: steps };
      await extra.sendNotification({ method: 'notifications/progress', params });
    }
    return text('done');
  },
  /** Writes a file once the call was cancelled, so that a test can see it from outside. */
  cancellable: ({ file }, extra) =>
    new Promise((resolve) => {
      extra.signal.addEventListener('abort', () => {
        writeFileSync(file, 'cancelled');
        resolve(text('never seen'));
      });
      writeFileSync(file, 'started');
    }),
  meta: (_, extra) => text(JSON.stringify(extra._meta ?? {})),
  headers: (_, extra) => text(JSON.stringify(extra.requestInfo?.headers ?? {})),
};

const OUTPUT = {
  bad_structured: { type: 'object', properties: { answer: { type: 'number' } }, required: ['answer'] },
};

export function newServer() {
  const extra = [];
  let listFails = false;
  const server = new Server({ name: 'test', version: '1.2.3' }, { capabilities: { tools: { listChanged: true } } });
  const control = {
    add_tool: async ({ name }) => {
      extra.push(name);
      await server.sendToolListChanged();
      return text('added');
    },
    break_list: async () => {
      listFails = true;
      await server.sendToolListChanged();
      return text('broken');
    },
  };
  server.setRequestHandler(ListToolsRequestSchema, (request) => {
    if (listFails) throw new Error('no list today');
    // Two pages, in an order that nobody should rely on.
    const names = [...Object.keys(TOOLS), ...Object.keys(control), ...extra].sort().reverse();
    const half = Math.ceil(names.length / 2);
    const page = request.params?.cursor ? names.slice(half) : names.slice(0, half);
    return {
      tools: page.map((name) => ({
        name,
        description: `The tool ${name}`,
        inputSchema: { type: 'object', properties: {} },
        ...(ANNOTATIONS[name] && { annotations: ANNOTATIONS[name] }),
        ...(OUTPUT[name] && { outputSchema: OUTPUT[name] }),
      })),
      ...(!request.params?.cursor && { nextCursor: 'second' }),
    };
  });
  server.setRequestHandler(CallToolRequestSchema, (request, context) => {
    const { name, arguments: args = {} } = request.params;
    const tool = TOOLS[name] ?? control[name];
    return tool ? tool(args, context) : text(`extra ${name}`);
  });
  return server;
}
