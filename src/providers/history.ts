import type { Codec, EncodeTarget } from '../codecs/codec.ts';
import type { CallContext } from '../model/call.ts';
import { lookFor } from '../model/marks.ts';
import type { BodySource, ChatRequest } from '../model/request.ts';
import { familyOf } from '../vault/family.ts';
import { type ReasoningVault, withoutRaw } from '../vault/vault.ts';

/** Whose models are about to read a history: one for each try at a target, so that a fallback gets its own. */
export interface Reader {
  readonly provider: string;
  readonly model: string;
}

/** What was kept for one caller is never given to another. */
export const ownerOf = ({ caller }: CallContext): string => caller.virtualKey ?? '';

/** Whether a body that could travel as it came should be looked at first. Searches the bytes, never parses them. */
export function isHistorySuspect(
  { bytes }: BodySource,
  codec: Codec,
  vault: ReasoningVault,
  { provider, model }: Reader,
  context: CallContext,
): boolean {
  const body = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes);
  if (codec.history?.mayLack(body)) return true;
  const owner = ownerOf(context);
  if (!vault.knows(owner)) return false;
  return vault.hasForeign(owner, context.dialect, familyOf(provider, model)) && holdsAnswers(body);
}

/** How the formats name whoever answered in an earlier turn, and what a model called. */
const holdsAnswers = lookFor('"assistant"', '"model"', '"function_call"', '"encrypted_content"');

/**
 * The request with a history that the reader takes: its own state put back, that of others taken out. It comes without
 * `raw` where the client's body would be refused as it is. The same request when nothing needs to change.
 */
export function withHistory(
  request: ChatRequest,
  codec: Codec,
  target: EncodeTarget,
  vault: ReasoningVault,
  { provider, model }: Reader,
  context: CallContext,
): ChatRequest {
  const owner = ownerOf(context);
  const restored = vault.knows(owner)
    ? vault.restored(owner, familyOf(provider, model), request, context.trace.losses)
    : request;
  if (restored !== request) return restored;
  const { raw } = request;
  const isRefused = raw?.codec === codec.id && codec.history?.lacks(raw.body, target);
  return isRefused ? withoutRaw(request) : request;
}
