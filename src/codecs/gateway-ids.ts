import type { GatewayTurn } from '../model/content.ts';
import { splitId } from './gemini/signatures.ts';
import { shortHash } from './short-hash.ts';

export interface GatewayId {
  readonly turn: GatewayTurn;
  readonly callId: string;
}

/**
 * Calls that the gateway ran are shown under these ids, so that they are known again when they come back in the
 * client's history: `<prefix><round>_<the call's id>`, and behind the round `m<place among all calls>` where the
 * client's own calls came in the same turn.
 */
export class GatewayIds {
  readonly prefix: string;
  readonly #pattern: RegExp;

  constructor(prefix: string) {
    this.prefix = prefix;
    this.#pattern = new RegExp(`^${prefix}(\\d+)(?:(m)(\\d*))?_(.+)$`);
  }

  of(callId: string, turn: GatewayTurn = { round: 0, mixed: false }): string {
    const mixed = turn.mixed ? `m${turn.place ?? ''}` : '';
    return `${this.prefix}${turn.round}${mixed}_${shortId(callId)}`;
  }

  /** Undefined for ids of anybody else's making, such as those of a provider's own MCP connector. */
  parse(id: string): GatewayId | undefined {
    const [, round, mixed, place, callId] = this.#pattern.exec(id) ?? [];
    if (round === undefined || callId === undefined) return undefined;
    return { turn: { round: Number(round), mixed: mixed === 'm', ...(place && { place: Number(place) }) }, callId };
  }
}

const FITTING = /^[A-Za-z0-9_-]{1,48}$/;

/** Without the signature that rides on an id of Gemini's, before it becomes unknowable: by the rest a turn is found again. */
function shortId(id: string): string {
  if (FITTING.test(id)) return id;
  const { id: bare } = splitId(id);
  return FITTING.test(bare) ? bare : shortHash(id, 32);
}

/** Where a call stood among the calls of its turn. */
export interface Place {
  readonly index: number;
  /**
   * Counts the gateways of a chain: the nearest to the model ran its calls first and shows them first, and each that
   * comes behind it counts the places among what was left.
   */
  readonly gateway: number;
}

/**
 * The calls of a mixed turn in the order in which the model made them: the gateway's are shown before the client's own,
 * and each says its place. Whatever stands between calls stays where it is; so do calls that say no place.
 */
export function inModelOrder<Item>(
  items: readonly Item[],
  isCall: (item: Item) => boolean,
  placeOf: (item: Item) => Place | undefined,
): Item[] {
  const ordered = items.filter((item) => isCall(item) && !placeOf(item));
  const placed = items.flatMap((item) => {
    const place = isCall(item) && placeOf(item);
    return place ? [{ item, ...place }] : [];
  });
  placed.sort((one, other) => other.gateway - one.gateway || one.index - other.index);
  for (const { item, index } of placed) ordered.splice(index, 0, item);
  return items.map((item) => (isCall(item) ? (ordered.shift() ?? item) : item));
}
