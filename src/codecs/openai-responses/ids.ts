import { GatewayIds } from '../gateway-ids.ts';
import { shortHash } from '../short-hash.ts';

/** Ids of the `mcp_call` items that show calls of the gateway. */
export const gatewayIds = new GatewayIds('mcp_bf');

/** Ids of the `mcp_approval_request` items in which the gateway asks before it runs a call. */
export const approvalIds = new GatewayIds('mcpr_bf');

/** Ids of the items that show searches of the gateway over tools left out of the prompt. */
export const searchIds = new GatewayIds('tsc_bf');
export const searchOutputIds = new GatewayIds('tso_bf');

/** The id of an item that the upstream gave none: the same for the same place in the same response. */
export const itemId = (prefix: string, responseId: string, place: number): string =>
  `${prefix}_${shortHash(`${responseId}:${place}`, 48)}`;

/** The upstream's id if it is of this format, one made of it or the stand-in otherwise. */
export function responseId(id: string, standIn: string | undefined, sameFormat: boolean): string {
  if (id !== '' && (sameFormat || id.startsWith('resp_'))) return id;
  return `resp_${id || (standIn ?? '0')}`;
}
