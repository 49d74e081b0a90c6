import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';

export const serverVersion = '0.1.0';

/** How long calls that are still running may go on once the client has gone. */
const graceMs = 500;
/** Larger than the SDK's 10 MB, which a big file in one write would break. */
const maxMessageBytes = 64 * 1024 * 1024;

/** A tool that looks and changes nothing, in this process's own world. */
export const looksOnly = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
} as const;

/**
 * Serves on stdin and stdout until the client ends stdin or a signal comes. What runs then may finish (so that no write is
 * cut in half), but not for longer than the grace period.
 */
export async function serveOverStdio(server: McpServer): Promise<void> {
  const leave = (): void => {
    process.stdin.destroy();
    setTimeout(() => process.exit(0), graceMs).unref();
  };
  process.stdin.once('end', leave);
  process.once('SIGTERM', leave);
  process.once('SIGINT', leave);
  // The client is gone while we answer: nobody is left to hear about it.
  process.stdout.on('error', () => process.exit(0));
  server.server.onclose = leave;
  await server.connect(new StdioServerTransport(process.stdin, process.stdout, { maxBufferSize: maxMessageBytes }));
}

/** Ends the process with one line on stderr: stdout belongs to the protocol. */
export function refuseToStart(serverName: string, message: string): never {
  process.stderr.write(`${serverName}: ${message}\n`);
  process.exit(1);
}

export const textResult = (...texts: string[]): CallToolResult => ({
  content: texts.map((text) => ({ type: 'text', text })),
});

/** The text is for models, the same facts as data for programs (MCP 2025-06-18, structured content). */
export const structuredResult = (text: string, structuredContent: Record<string, unknown>): CallToolResult => ({
  ...textResult(text),
  structuredContent,
});

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
