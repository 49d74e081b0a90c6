import type { Codec } from '../codec.ts';
import { decodeError, encodeError, encodeStreamError } from './errors.ts';
import { glance } from './glance.ts';
import { hasGatewayBlocks } from './history.ts';
import { fitsModel } from './model-fit.ts';
import { decodeRequest, encodeRequest } from './request.ts';
import { decodeResponse, encodeResponse } from './response.ts';
import { serverTools } from './server-tools.ts';
import { decodeStream, encodeStream } from './stream.ts';
import { thinkingHistory } from './thinking.ts';
import { CODEC, sse } from './wire.ts';

/** The Anthropic Messages API, version 2023-06-01. */
export const anthropicMessages: Codec = {
  id: CODEC,
  decodeRequest,
  holdsOurs: hasGatewayBlocks,
  history: thinkingHistory,
  serverTools,
  encodeResponse,
  encodeStream,
  encodeError,
  encodeStreamError,
  keepAlive: sse({ type: 'ping' }),
  encodeRequest,
  fitsModel,
  decodeResponse,
  decodeStream,
  decodeError,
  glance,
};
