import { readBody } from '../../src/codecs/body.ts';
import type { Codec } from '../../src/codecs/codec.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { type ChatRequest, DeferredRequest } from '../../src/model/request.ts';

/** A client's request as the gateway reads it from the body's bytes. */
export function requestOf(codec: Codec, body: JsonObject): ChatRequest {
  const { head, source } = readBody(codec.id, Buffer.from(JSON.stringify(body)));
  return new DeferredRequest(head, source, (parsed) => codec.decodeRequest(parsed));
}
