import type { Codec } from '../codec.ts';
import { decodeError, encodeError, encodeStreamError } from './errors.ts';
import { mayHoldCitationsBlocks } from './foreign-citations.ts';
import { converseFraming } from './framing.ts';
import { glance } from './glance.ts';
import { decodeRequest, encodeRequest } from './request.ts';
import { decodeResponse, encodeResponse } from './response.ts';
import { decodeStream } from './stream.ts';
import { encodeStream } from './stream-writer.ts';
import { CODEC, sse } from './wire.ts';

/** Amazon Bedrock's Converse and ConverseStream. */
export const bedrockConverse: Codec = {
  id: CODEC,
  decodeRequest,
  holdsOurs: mayHoldCitationsBlocks,
  encodeRequest,
  decodeResponse,
  encodeResponse,
  decodeStream,
  encodeStream,
  decodeError,
  encodeError,
  encodeStreamError,
  // AWS's SDKs pass over events that they do not know
  keepAlive: sse('keepAlive', {}),
  framing: converseFraming,
  glance,
};
