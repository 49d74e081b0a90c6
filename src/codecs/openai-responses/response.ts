import type { JsonObject } from '../../model/json.ts';
import { type ChatResponse, eventsOf, foldAll } from '../../model/response.ts';
import type { AnswerContext, AnswerHead } from '../codec.ts';
import { MuteEmitter } from './emitter.ts';
import { AnswerReader } from './stream.ts';
import { ResponseWriter } from './stream-writer.ts';

/** A whole answer is read as a stream of one event, so that there is one reading of every field. */
export const decodeResponse = (body: JsonObject, context: AnswerContext = {}): ChatResponse =>
  foldAll(new AnswerReader(context).takeWhole(body));

/** The snapshot with which a stream of the same answer would end. */
export function encodeResponse(response: ChatResponse, head?: AnswerHead): JsonObject {
  const writer = new ResponseWriter(head ?? { model: response.model }, new MuteEmitter());
  for (const event of eventsOf(response)) writer.write(event);
  return writer.snapshot;
}
