import type { Codec } from '../codec.ts';
import { decodeError, encodeError, encodeStreamError } from './errors.ts';
import { glance } from './glance.ts';
import { fitsModel } from './model-fit.ts';
import { decodeRequest, encodeRequest } from './request.ts';
import { decodeResponse, encodeResponse } from './response.ts';
import { decodeStream } from './stream.ts';
import { encodeStream } from './stream-writer.ts';
import { thoughtHistory } from './thought-history.ts';
import { CODEC } from './wire.ts';

/** The Gemini API, version v1beta: generateContent and streamGenerateContent with `alt=sse`. */
export const gemini: Codec = {
  id: CODEC,
  decodeRequest,
  history: thoughtHistory,
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
