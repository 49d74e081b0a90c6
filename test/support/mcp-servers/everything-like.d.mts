export interface EverythingLike {
  readonly url: string;
  /** By session id. */
  readonly sessions: ReadonlyMap<string, unknown>;
  close(): Promise<void>;
}

export function startEverythingLike(options?: { name?: string; port?: number }): Promise<EverythingLike>;
