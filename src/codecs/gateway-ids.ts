import type { GatewayTurn } from '../model/content.ts';
import { shortHash } from './short-hash.ts';

export interface GatewayId {
  readonly turn: GatewayTurn;
  readonly callId: string;
}

/**
 * Calls that the gateway ran are shown under these ids, so that they are known again when they come back in the
 * client's history: `<prefix><round><m if the client's own calls came in the same turn>_<the call's id>`.
 */
export class GatewayIds {
  readonly prefix: string;
  readonly #pattern: RegExp;

  constructor(prefix: string) {
    this.prefix = prefix;
    this.#pattern = new RegExp(`^${prefix}(\\d+)(m?)_(.+)$`);
  }

  of(callId: string, turn: GatewayTurn = { round: 0, mixed: false }): string {
    return `${this.prefix}${turn.round}${turn.mixed ? 'm' : ''}_${shortId(callId)}`;
  }

  /** Undefined for ids of anybody else's making, such as those of a provider's own MCP connector. */
  parse(id: string): GatewayId | undefined {
    const [, round, mixed, callId] = this.#pattern.exec(id) ?? [];
    if (round === undefined || callId === undefined) return undefined;
    return { turn: { round: Number(round), mixed: mixed === 'm' }, callId };
  }
}

const shortId = (id: string): string => (/^[A-Za-z0-9_-]{1,48}$/.test(id) ? id : shortHash(id, 32));
