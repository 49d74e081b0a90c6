import type { JsonObject } from '../../model/json.ts';

/** Oldest first. */
const PROTOCOL_VERSIONS = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'] as const;
const NEWEST = '2025-11-25';

const KNOWN: ReadonlySet<unknown> = new Set(PROTOCOL_VERSIONS);

export const isKnownVersion = (version: unknown): boolean => KNOWN.has(version);

export const supportedVersions = (): string => PROTOCOL_VERSIONS.join(', ');

/** The client's version when we know it, else our newest: the client decides whether it can live with that. */
export const negotiatedVersion = (asked: unknown): string =>
  typeof asked === 'string' && isKnownVersion(asked) ? asked : NEWEST;

/** Batches came with 2025-03-26 and went with 2025-06-18; versions are dates, so text order is age. */
export const allowsBatches = (version: string | undefined): boolean => version === undefined || version < '2025-06-18';

/** Streams that can be resumed begin with an event without data, which older clients take for a broken message. */
export const primesStreams = (version: string | undefined): boolean => version !== undefined && version >= '2025-11-25';

export const initializeResult = (
  protocolVersion: string,
  gatewayVersion: string,
  capabilities: JsonObject,
): JsonObject => ({
  protocolVersion,
  capabilities,
  serverInfo: { name: 'bifrost', version: gatewayVersion },
});
