import type { AnswerContext } from '../codecs/codec.ts';
import { immenseAnswer } from '../codecs/measure.ts';
import type { CallContext } from '../model/call.ts';
import { GatewayError } from '../model/errors.ts';
import type { Frame } from '../model/event.ts';
import { isObject, type JsonObject } from '../model/json.ts';
import { eventsOf } from '../model/response.ts';
import type { ChatTry } from './chat-try.ts';
import { decodedFrames } from './decoded.ts';
import type { DirectResponse, StreamBody } from './direct-response.ts';
import { ForeignAccount } from './foreign-account.ts';
import type { Outgoing } from './outgoing.ts';
import { endOf, passThroughFrames } from './pass-through.ts';
import type { Witness } from './witness.ts';

/** A stream, as it came where the client may have its bytes, else decoded. Iteration throws GatewayError. */
export function streamFrames(
  { target, request, context }: ChatTry,
  body: StreamBody,
  sent: Outgoing,
  witness: Witness | undefined,
): AsyncIterable<Frame> {
  const { codec, passThrough } = sent;
  const { name: provider, network } = target.provider;
  const idleMs = network.stream_idle_timeout_in_seconds * 1_000;
  if (!passThrough || !request.stream) {
    const account = ForeignAccount.of(codec.id, context, request.stream);
    const reading = { codec, context: answerContext(sent, context), body, provider, idleMs, account };
    return decodedFrames(witness ? { ...reading, witness } : reading);
  }
  const onErrorInside = (error: GatewayError) => {
    // The attempt under way is the last one
    const attempt = context.trace.attempts.at(-1);
    if (attempt) attempt.error = error.message;
  };
  return passThroughFrames({ codec, body, provider, idleMs, witness, onErrorInside });
}

/**
 * A whole answer as one frame; also where a stream was asked for and the upstream gave none. Throws GatewayError when it
 * is an error with a good status, or no JSON object.
 */
export function wholeFrame(
  { target, request, context }: ChatTry,
  answer: DirectResponse,
  sent: Outgoing,
  witness: Witness | undefined,
): Frame {
  const { codec, passThrough } = sent;
  const { bytes } = answer;
  const raw = passThrough && !request.stream ? { codec: codec.id, bytes } : undefined;
  if (raw) {
    const glance = codec.glance(bytes, 'json');
    if (glance.error) throw glance.error;
    // an answer that does not say how it ended is looked at, it may be none
    if (glance.complete && glance.reason) {
      witness?.seeBytes(bytes);
      witness?.seeEnd('json');
      return { raw, events: [endOf(glance)], isLast: true };
    }
  }
  const response = codec.decodeResponse(bodyOf(answer, target.provider.name), answerContext(sent, context));
  witness?.seeParts(response.parts);
  const events = eventsOf(response);
  const account = ForeignAccount.of(codec.id, context, request.stream);
  if (account) for (const event of events) account.see(event);
  return raw ? { raw, events: events.slice(-1), isLast: true } : { events, isLast: true };
}

const answerContext = (
  { codec, toolNames, answersByTool }: Outgoing,
  { dialect, requestId, trace }: CallContext,
): AnswerContext => ({
  ...(toolNames && { toolNames }),
  ...(answersByTool && { answersByTool }),
  callId: `${requestId}-${trace.attempts.length}`,
  foreign: codec.id !== dialect,
});

function bodyOf(answer: DirectResponse, provider: string): JsonObject {
  const immense = immenseAnswer(answer.bytes);
  if (immense) {
    const message = `the answer of ${provider} ${immense} and is not read; look at what answers there`;
    throw new GatewayError('bad-response', message, { provider });
  }
  try {
    const body: unknown = JSON.parse(answer.bytes.toString('utf8'));
    if (isObject(body)) return body;
  } catch {
    // Told below, with what came in its place
  }
  const type = answer.headers.get('content-type') ?? 'no content type';
  const start = answer.bytes.toString('utf8', 0, 200);
  throw new GatewayError('bad-response', `${provider} answered with ${type} in place of a JSON object: ${start}`, {
    provider,
  });
}
