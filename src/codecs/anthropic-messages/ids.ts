import { createHash } from 'node:crypto';
import type { GatewayTurn } from '../../model/content.ts';

/**
 * Calls that the gateway ran are shown as blocks with these ids, so that they are known again when they come back in
 * the client's history: `mcptoolu_bf<round><m if the client's own calls came in the same turn>_<the call's id>`.
 */
export const GATEWAY_ID_PREFIX = 'mcptoolu_bf';

const GATEWAY_ID = /^mcptoolu_bf(\d+)(m?)_(.+)$/;

export function gatewayId(callId: string, turn: GatewayTurn = { round: 0, mixed: false }): string {
  return `${GATEWAY_ID_PREFIX}${turn.round}${turn.mixed ? 'm' : ''}_${shortId(callId)}`;
}

export interface GatewayId {
  readonly turn: GatewayTurn;
  readonly callId: string;
}

/** Undefined for ids of anybody else's making, such as those of Anthropic's own MCP connector. */
export function parseGatewayId(id: string): GatewayId | undefined {
  const [, round, mixed, callId] = GATEWAY_ID.exec(id) ?? [];
  if (round === undefined || callId === undefined) return undefined;
  return { turn: { round: Number(round), mixed: mixed === 'm' }, callId };
}

const shortId = (id: string): string => (/^[A-Za-z0-9_-]{1,48}$/.test(id) ? id : digest(id, 32));

/** Tool-call ids must match ^[a-zA-Z0-9_-]+$ (Anthropic Messages API, tool_use.id). */
export const wireCallId = (id: string): string => id.replace(/[^a-zA-Z0-9_-]/g, '_');

/** Gives each call an id that no other call of the same body has; same calls in, same ids out. */
export function uniqueIds(toWire: (id: string) => string = wireCallId): (id: string) => string {
  const taken = new Set<string>();
  return (id) => {
    const base = toWire(id) || 'toolu';
    let unique = base;
    for (let copy = 2; taken.has(unique); copy++) unique = `${base}_${copy}`;
    taken.add(unique);
    return unique;
  };
}

export const digest = (text: string, length: number): string =>
  createHash('sha256').update(text).digest('hex').slice(0, length);
