import type { CodecId } from '../../model/content.ts';
import { GatewayError } from '../../model/errors.ts';
import { ownValue } from '../../model/json.ts';
import type { ChatRequest } from '../../model/request.ts';
import { CODEC, ownBlock, textOf } from './wire.ts';

const ADVICE =
  'send the whole conversation as input with store: false, or ask a provider that speaks the Responses API';

/** Items that stand for something that only the provider that made them has. */
const STANDS_FOR: Readonly<Record<string, string>> = {
  item_reference: 'an item that another provider has stored',
  compaction: 'an earlier conversation, encrypted for another provider',
  compaction_summary: 'an earlier conversation, encrypted for another provider',
};

/**
 * Throws GatewayError('invalid-request') when a request of this format leans on what its provider has stored, and is to
 * go out in another: without it the model would answer as if nothing had been said before.
 */
export function refuseStoredState({ settings, messages }: ChatRequest, sentAs: CodecId): void {
  if (sentAs === CODEC) return;
  const own = ownBlock(settings.origin) ?? {};
  for (const field of ['previous_response_id', 'conversation', 'prompt']) {
    const value = own[field];
    if (value === undefined || value === null) continue;
    throw refusal(`${field} names what another provider has stored; ${ADVICE}`, field);
  }
  for (const { parts } of messages) {
    for (const part of parts) {
      const type = part.type === 'opaque' ? textOf(ownBlock(part.origin)?.type) : '';
      const meaning = ownValue(STANDS_FOR, type);
      if (meaning !== undefined) throw refusal(`the input holds an item "${type}": ${meaning}; ${ADVICE}`, 'input');
    }
  }
}

const refusal = (message: string, param: string): GatewayError =>
  new GatewayError('invalid-request', message, { param });
