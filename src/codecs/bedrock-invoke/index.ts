import { anthropicMessages } from '../anthropic-messages/index.ts';
import { encodeError, encodeStreamError } from '../bedrock-converse/errors.ts';
import type { Envelope } from '../codec.ts';
import { opened } from './body.ts';
import { invokeFraming } from './framing.ts';

/** Anthropic's Messages as Bedrock's InvokeModel and InvokeModelWithResponseStream carry them. */
export const bedrockInvoke: Envelope = {
  opened,
  codec: { ...anthropicMessages, encodeError, encodeStreamError, framing: invokeFraming },
};
