import type { GatewayTurn } from '../../model/content.ts';
import { shortHash } from '../openai-names.ts';

/**
 * Calls that the gateway ran are shown as items with these ids, so that they are known again when they come back in
 * the client's input: `mcp_bf<round><m if the client's own calls came in the same turn>_<the call's id>`.
 */
export const GATEWAY_ID_PREFIX = 'mcp_bf';

const GATEWAY_ID = /^mcp_bf(\d+)(m?)_(.+)$/;

export function gatewayId(callId: string, turn: GatewayTurn = { round: 0, mixed: false }): string {
  return `${GATEWAY_ID_PREFIX}${turn.round}${turn.mixed ? 'm' : ''}_${shortId(callId)}`;
}

export interface GatewayId {
  readonly turn: GatewayTurn;
  readonly callId: string;
}

/** Undefined for ids of anybody else's making, such as those of OpenAI's own MCP tool. */
export function parseGatewayId(id: string): GatewayId | undefined {
  const [, round, mixed, callId] = GATEWAY_ID.exec(id) ?? [];
  if (round === undefined || callId === undefined) return undefined;
  return { turn: { round: Number(round), mixed: mixed === 'm' }, callId };
}

const shortId = (id: string): string => (/^[A-Za-z0-9_-]{1,48}$/.test(id) ? id : shortHash(id, 32));

/** The id of an item that the upstream gave none: the same for the same place in the same response. */
export const itemId = (prefix: string, responseId: string, place: number): string =>
  `${prefix}_${shortHash(`${responseId}:${place}`, 48)}`;

/** The upstream's id if it is of this format, one made of it or the stand-in otherwise. */
export function responseId(id: string, standIn: string | undefined, sameFormat: boolean): string {
  if (id !== '' && (sameFormat || id.startsWith('resp_'))) return id;
  return `resp_${id || (standIn ?? '0')}`;
}
