interface Received {
  readonly method: string;
  readonly rpc?: string;
}

export function startBothErasServer(): Promise<{
  readonly url: string;
  /** What came in, by era. */
  readonly older: readonly Received[];
  readonly newer: readonly Received[];
  close(): Promise<void>;
}>;
