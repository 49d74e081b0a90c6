import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeepAlive } from '../../src/http/event-stream.ts';
import { type Surroundings, serve } from '../../src/serve.ts';
import { PATIENCE_MS, serverFile } from './mcp-clients.ts';

export interface Gateway {
  readonly url: string;
  readonly appDir: string;
  /** Everything it would have written on standard output. */
  output(): string;
  /** `look`: what to do with the app-dir before it goes. */
  stop(look?: (appDir: string) => void): Promise<void>;
}

interface HereOptions {
  readonly port: number;
  /** A copy of the app-dir of an earlier one, which it goes on with. */
  readonly from: string;
  /** Given back as soon as it listens, while its MCP servers still come up. */
  readonly atOnce: boolean;
}

/**
 * The whole gateway inside this process, on a port of its own with an app-dir of its own and an empty environment, once
 * its MCP servers have had their chance to come up.
 */
export async function startGatewayHere(
  config: object | undefined,
  { port = 0, from, atOnce = false, ...surroundings }: Partial<Surroundings & HereOptions> = {},
): Promise<Gateway> {
  const appDir = mkdtempSync(join(tmpdir(), 'bifrost-here-'));
  if (from) cpSync(from, appDir, { recursive: true });
  if (config) writeFileSync(join(appDir, 'config.json'), JSON.stringify(config));
  const lines: string[] = [];
  let announced = () => {};
  const ready = new Promise<void>((resolve) => {
    announced = resolve;
  });
  const running = await serve(
    { appDir, host: '127.0.0.1', port, logLevel: 'debug', logStyle: 'json' },
    '0.0.0-test',
    {
      log: (level, message, fields = {}) => {
        lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
        if (message === 'the gateway is ready') announced();
      },
      print: (text) => lines.push(text),
      flush: () => {},
    },
    { env: {}, graceMs: 1_000, ...surroundings },
  ).catch((thrown: unknown) => {
    rmSync(appDir, { recursive: true });
    throw thrown;
  });
  if (!atOnce) await ready;
  return {
    url: running.url,
    appDir,
    output: () => lines.join('\n'),
    stop: async (look) => {
      await running.stop();
      look?.(appDir);
      rmSync(appDir, { recursive: true });
    },
  };
}

/** Keep-alives for tests that cannot wait: after 40 ms of silence. */
export const impatient = (): KeepAlive => new KeepAlive({ silenceMs: 40, checkEveryMs: 10 });

/** A provider entry with one key for every model. */
export const keyed = (baseUrl: string, key = 'sk-test') => ({
  keys: [{ name: 'test', value: key, models: ['*'], weight: 1 }],
  network_config: { base_url: baseUrl },
});

/** An MCP client with the test server on stdio; every tool of it runs by itself. */
export const testServer = (name = 'ref', more: object = {}) => ({
  name,
  connection_type: 'stdio',
  stdio_config: { command: process.execPath, args: [serverFile('stdio.mjs')] },
  tools_to_execute: ['*'],
  tools_to_auto_execute: ['*'],
  ...more,
});

export const post = (
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
    ...(signal && { signal }),
  });

/** What `ask` gives, as soon as `holds` is true of it. */
export async function eventually<Value>(ask: () => Promise<Value>, holds: (value: Value) => boolean): Promise<Value> {
  const givenUpAtMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const value = await ask();
    if (holds(value)) return value;
    if (performance.now() > givenUpAtMs) {
      throw new Error(`in ${PATIENCE_MS / 1_000} s it did not come true: ${holds} of ${JSON.stringify(value)}`);
    }
    await new Promise((next) => setTimeout(next, 15));
  }
}
