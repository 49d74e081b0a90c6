import type { Codec } from '../codec.ts';
import { decodeError, encodeError } from '../openai-errors.ts';
import { encodeStreamError } from './errors.ts';
import { glance } from './glance.ts';
import { hasGatewayItems } from './history.ts';
import { fitsModel } from './model-fit.ts';
import { reasoningHistory } from './reasoning-history.ts';
import { decodeRequest, encodeRequest } from './request.ts';
import { decodeResponse, encodeResponse } from './response.ts';
import { serverTools } from './server-tools.ts';
import { decodeStream } from './stream.ts';
import { encodeStream } from './stream-writer.ts';
import { CODEC } from './wire.ts';

/** OpenAI's Responses API. */
export const openaiResponses: Codec = {
  id: CODEC,
  decodeRequest,
  holdsOurs: hasGatewayItems,
  serverTools,
  history: reasoningHistory,
  encodeRequest,
  fitsModel,
  decodeResponse,
  encodeResponse,
  decodeStream,
  encodeStream,
  decodeError,
  encodeError,
  encodeStreamError,
  keepAlive: ': keep-alive\n\n',
  glance,
};
