export interface LegacyHttpServer {
  readonly port: number;
  readonly url: string;
  readonly requests: readonly {
    readonly method: string;
    readonly headers: Readonly<Record<string, string | undefined>>;
    readonly rpc?: string;
  }[];
  close(): Promise<void>;
}

export function startLegacyHttpServer(options?: { port?: number }): Promise<LegacyHttpServer>;
