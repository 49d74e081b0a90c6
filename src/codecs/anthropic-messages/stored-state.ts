import type { CodecId } from '../../model/content.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ChatRequest } from '../../model/request.ts';
import { CODEC, ownBlock } from './wire.ts';

/**
 * Throws GatewayError('invalid-request') when a request of this format is a turn of a message thread, which its API keeps
 * (beta message-threads), and is to go out in another: later turns would come without what was said before. Told in the
 * words on which the SDK's tool runner goes on without a thread.
 */
export function refuseThread({ settings }: ChatRequest, sentAs: CodecId): void {
  if (sentAs === CODEC) return;
  const thread = ownBlock(settings.origin)?.thread;
  if (thread === undefined || thread === null) return;
  throw new GatewayError(
    'invalid-request',
    'thread: only the Anthropic API itself keeps message threads; send the whole conversation in messages, without thread',
    { param: 'thread', messagesDetails: { error_code: 'thread_unsupported_request', unsupported: ['thread'] } },
  );
}
