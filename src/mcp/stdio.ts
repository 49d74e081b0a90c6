import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { JSONRPCMessage, JSONRPCRequest } from '@modelcontextprotocol/sdk/types.js';
import { isObject } from '../model/json.ts';
import { deliver, type GatewayTransport } from './gateway-transport.ts';
import { LineSplitter, Tail } from './lines.ts';
import { adoptGroup, endGroup, signalGroup } from './process-groups.ts';
import { later, settlesWithin } from './timing.ts';

/** Room for a result with a large attachment in base64, and an end to a server that writes without newlines. */
const MAX_LINE_BYTES = 256 * 1024 * 1024;
/** How long output may still drain after every process of the group has ended. */
const DRAIN_MS = 250;

export interface StdioOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the server. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** What the server gets after each polite request to end, before the next and less polite one. */
  readonly graceMs: number;
  /** Told of the process group, from its start to its end. */
  readonly keepers?: readonly GroupKeeper[];
}

/** Somebody who looks after the process groups of servers. */
export interface GroupKeeper {
  /** `end` ends the group, politely at first, for a reason that the connection will tell. */
  started(group: number, end: (reason: string) => void): void;
  ended(group: number): void;
}

/**
 * One MCP server as a child process, JSON-RPC by lines on its stdin and stdout. It leads a process group of its own, and
 * the transport ends when the group has: whatever the server started dies with it.
 */
export class StdioTransport implements GatewayTransport {
  onmessage?: NonNullable<GatewayTransport['onmessage']>;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onserver?: GatewayTransport['onserver'];
  readonly hasSession = false;
  /** One pipe for everything: nothing says what belongs to what. */
  readonly tellsOrigins = false;
  readonly #options: StdioOptions;
  readonly #stderr = new Tail();
  readonly #stdout = new LineSplitter(MAX_LINE_BYTES);
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #ended: Promise<void> = Promise.resolve();
  #endReason: string | undefined;
  #closed = false;
  #unsent = '';

  constructor(options: StdioOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get stderr(): readonly string[] {
    return this.#stderr.lines;
  }

  get endReason(): string | undefined {
    return this.#endReason;
  }

  async start(): Promise<void> {
    const { command, args, env, cwd } = this.#options;
    const child = spawn(command, [...args], {
      cwd,
      env: { ...env },
      detached: process.platform !== 'win32',
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    });
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(new Error(this.#spawnFailure(error), { cause: error })));
    });
    if (child.pid !== undefined) this.#adopt(child.pid);
    this.#listen(child);
  }

  request(message: JSONRPCRequest): Promise<void> {
    return this.send(message);
  }

  send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#child?.stdin;
    if (!stdin?.writable) return Promise.reject(new Error(this.#endReason ?? 'the server is not running'));
    // A write costs more than all else in a call: what is sent in one turn of the event loop goes in one.
    if (this.#unsent === '') setImmediate(() => this.#flush());
    this.#unsent += `${JSON.stringify(message)}\n`;
    return Promise.resolve();
  }

  /** Closes stdin, then SIGTERM, then SIGKILL, each to the whole group and after its grace. */
  async close(): Promise<void> {
    const child = this.#child;
    const { graceMs } = this.#options;
    if (child?.pid === undefined) return this.#finish();
    this.#endReason ??= 'the connection was closed';
    this.#flush();
    child.stdin?.end();
    if (!(await settlesWithin(this.#exited, graceMs))) {
      signalGroup(child.pid, 'SIGTERM');
      if (!(await settlesWithin(this.#exited, graceMs))) signalGroup(child.pid, 'SIGKILL');
    }
    await this.#ended;
  }

  #adopt(group: number): void {
    adoptGroup(group);
    const { keepers = [] } = this.#options;
    const end = (reason: string) => {
      this.#endReason ??= reason;
      void this.close();
    };
    for (const keeper of keepers) keeper.started(group, end);
  }

  #flush(): void {
    const text = this.#unsent;
    this.#unsent = '';
    if (text !== '' && this.#child?.stdin?.writable) this.#child.stdin.write(text);
  }

  #listen(child: ChildProcess): void {
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#endReason ??= signal ? `the server was killed by ${signal}` : `the server exited with code ${code}`;
        resolve();
      });
    });
    const drained = new Promise<void>((resolve) => {
      child.once('close', () => resolve());
    });
    this.#ended = this.#afterExit(child, drained);
    child.on('error', (error) => this.onerror?.(error));
    child.stdin?.on('error', (error) => void this.#inputFailed(error));
    child.stdout?.on('data', (chunk: Buffer) => this.#read(chunk));
    child.stdout?.once('end', () => void this.#outputEnded());
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#stderr.write(text));
  }

  /** Nobody of the group is left and the last output has been read: only then is the connection over. */
  async #afterExit(child: ChildProcess, drained: Promise<void>): Promise<void> {
    await this.#exited;
    if (child.pid !== undefined) {
      await endGroup(child.pid, this.#options.graceMs);
      for (const keeper of this.#options.keepers ?? []) keeper.ended(child.pid);
    }
    // A grandchild that left the group may hold the pipe open for ever.
    await Promise.race([drained, new Promise<void>((resolve) => later(DRAIN_MS, resolve))]);
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
    this.#finish();
  }

  /** A server that lives on without its output will never answer again. */
  async #outputEnded(): Promise<void> {
    if (await settlesWithin(this.#exited, this.#options.graceMs)) return;
    this.#endReason ??= 'the server closed its output';
    await this.close();
  }

  /** A server that reads no more will never answer again. One that is ending says better why itself. */
  async #inputFailed(error: Error): Promise<void> {
    this.onerror?.(error);
    if (await settlesWithin(this.#exited, DRAIN_MS)) return;
    this.#endReason ??= 'the server closed its input';
    await this.close();
  }

  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onclose?.();
  }

  #read(chunk: Buffer): void {
    try {
      for (const line of this.#stdout.push(chunk)) this.#receive(line);
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      this.#endReason ??= error.message;
      this.onerror?.(error);
      void this.close();
    }
  }

  #receive(line: string): void {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      // Banners and debug prints on stdout are common; they are no reason to lose the server.
      if (line.trim()) this.#stderr.line(`[stdout] ${line}`);
      return;
    }
    for (const message of Array.isArray(value) ? value : [value]) {
      // The SDK tells requests, notifications and answers apart by schema, so more than the envelope is not checked here.
      if (isObject(message) && message.jsonrpc === '2.0') deliver(this, message as JSONRPCMessage);
      else this.#stderr.line(`[stdout] ${line}`);
    }
  }

  #spawnFailure(error: Error): string {
    const { command, cwd } = this.#options;
    if (!('code' in error) || error.code !== 'ENOENT')
      return `command '${command}' could not be started: ${error.message}`;
    if (!existsSync(cwd)) return `command '${command}' could not be started: its folder ${cwd} does not exist`;
    return `command not found: '${command}'; install it or correct stdio_config.command`;
  }
}
