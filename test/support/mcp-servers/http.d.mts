import type { IncomingHttpHeaders } from 'node:http';

export interface HttpServer {
  readonly port: number;
  /** What came in, in order; `rpc` is the JSON-RPC method. */
  readonly requests: readonly { method: string; path: string; headers: IncomingHttpHeaders; rpc?: string }[];
  forgetSessions(): void;
  cutConnections(): void;
  /** From now on the connection breaks on each tool call that arrives. */
  cutCalls(): void;
  /** Answers everything with this status from now on; 0 ends that. */
  refuse(status: number, text?: string): void;
  /** Answers GET with this status. */
  refuseStreams(status: number): void;
  close(): Promise<void>;
}

export function startHttpServer(options?: { json?: boolean; port?: number }): Promise<HttpServer>;
