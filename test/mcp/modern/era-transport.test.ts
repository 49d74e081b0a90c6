import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, expect, test } from 'vitest';
import { EraTransport, type EraTransportOptions } from '../../../src/mcp/modern/era-transport.ts';
import { KnownServers } from '../../../src/mcp/modern/known-servers.ts';
import { Session } from '../../../src/mcp/session.ts';
import { StdioTransport } from '../../../src/mcp/stdio.ts';
import { serverFile } from '../../support/mcp-clients.ts';

const open: Session[] = [];
afterEach(() => Promise.all(open.splice(0).map((session) => session.close())));

interface Dialled {
  readonly session: Session;
  readonly starts: () => number;
  /** The methods that the server saw, before its tool was called. */
  seen(): Promise<readonly string[]>;
}

async function dial(flags: string[], options: Partial<EraTransportOptions> = {}): Promise<Dialled> {
  let starts = 0;
  const transport = new EraTransport({
    legacy: () => {
      starts += 1;
      const args = [serverFile('scripted-stdio.mjs'), ...flags];
      return new StdioTransport({ command: process.execPath, args, env: {}, cwd: import.meta.dirname, graceMs: 500 });
    },
    known: new KnownServers(),
    server: flags.join(),
    ...options,
  });
  const session = new Session('era', transport, {
    onClosed: () => undefined,
    onToolsChanged: () => undefined,
    onTrouble: () => undefined,
  });
  open.push(session);
  await session.open(10_000, new AbortController().signal);
  const call = { method: 'tools/call', params: { name: 'seen', arguments: {} }, timeoutMs: 5_000 };
  return {
    session,
    starts: () => starts,
    seen: async () => {
      const { content } = (await session.request(call)) as { content: { text: string }[] };
      return JSON.parse(content[0]?.text ?? '') as string[];
    },
  };
}

test('a server of the older era is asked once, and greeted when it does not know the question', async () => {
  const { session, seen, starts } = await dial([]);
  expect(session.serverInfo).toMatchObject({ name: 'old' });
  expect((await seen()).slice(0, 3)).toEqual(['server/discover', 'initialize', 'notifications/initialized']);
  expect(starts()).toBe(1);
});

test('the next connection to it asks no more', async () => {
  const known = new KnownServers();
  await dial([], { known });
  const { seen } = await dial([], { known });
  expect((await seen())[0]).toBe('initialize');
});

test('until the verdict is an hour old', async () => {
  let nowMs = 0;
  const known = new KnownServers(() => nowMs);
  await dial([], { known });
  nowMs = 60 * 60_000;
  const { seen } = await dial([], { known });
  expect((await seen())[0]).toBe('server/discover');
});

test('a server that answers nothing it does not know is greeted after a while', async () => {
  const { seen } = await dial(['--silent'], { patienceMs: 200 });
  expect((await seen()).slice(0, 2)).toEqual(['server/discover', 'initialize']);
});

test('a server that ends when it is asked first is started again, and not asked again', async () => {
  const known = new KnownServers();
  const first = await dial(['--strict'], { known });
  expect(first.starts()).toBe(2);
  expect((await first.seen())[0]).toBe('initialize');
  const second = await dial(['--strict'], { known });
  expect(second.starts()).toBe(1);
});

test('a verdict that turns out wrong is given up with the connection', async () => {
  const known = new KnownServers();
  known.noteLegacy('new');
  const newer = () => {
    const args = [serverFile('modern-stdio.mjs')];
    return new StdioTransport({ command: process.execPath, args, env: {}, cwd: import.meta.dirname, graceMs: 500 });
  };
  await expect(dial([], { known, server: 'new', legacy: newer })).rejects.toThrow();
  expect(known.isLegacy('new')).toBe(false);
});

test('a server that speaks both eras is spoken to in the newer one', async () => {
  const sent: JSONRPCMessage[] = [];
  const both = () => {
    const args = [serverFile('modern-stdio.mjs'), '--both'];
    const pipe = new StdioTransport({
      command: process.execPath,
      args,
      env: {},
      cwd: import.meta.dirname,
      graceMs: 500,
    });
    const send = pipe.send.bind(pipe);
    pipe.send = (message) => {
      sent.push(message);
      return send(message);
    };
    return pipe;
  };
  const { session } = await dial([], { legacy: both });
  expect((await session.listTools(5_000)).length).toBeGreaterThan(5);
  expect(sent.some((message) => 'method' in message && message.method === 'initialize')).toBe(false);
});
