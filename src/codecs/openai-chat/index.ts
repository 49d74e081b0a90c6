import type { Codec } from '../codec.ts';
import { decodeError, encodeError, encodeStreamError } from '../openai-errors.ts';
import { glance } from './glance.ts';
import { fitsModel } from './model-fit.ts';
import { reasoningHistory } from './reasoning-history.ts';
import { decodeRequest, encodeRequest } from './request.ts';
import { decodeResponse, encodeResponse } from './response.ts';
import { decodeStream } from './stream.ts';
import { encodeStream } from './stream-writer.ts';

/** OpenAI's Chat Completions, as OpenAI speaks it and as its many clones do. */
export const openaiChat: Codec = {
  id: 'openai-chat',
  decodeRequest,
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
