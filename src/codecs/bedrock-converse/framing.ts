import { isObject, type JsonObject } from '../../model/json.ts';
import { AMAZON_FRAMES, type AmazonFrame, amazonFrame } from '../amazon-frames.ts';
import type { Framing, WireEvent } from '../codec.ts';
import { createSseReader } from '../sse.ts';
import { textOf } from './wire.ts';

/**
 * Converse streams go over the line in binary frames. Inside the gateway they are text like every other stream: the
 * event's name, and its payload as it came.
 */
export const converseFraming: Framing = {
  contentType: AMAZON_FRAMES,
  writer: () => framesOf(converseFrame),
};

/** Frames for each event that a piece of text completes. */
export function framesOf(
  toFrame: (event: WireEvent) => Buffer | undefined,
): (piece: Uint8Array | string) => Uint8Array {
  const reader = createSseReader();
  return (piece) => {
    const events = reader.push(typeof piece === 'string' ? Buffer.from(piece) : piece);
    const frames = events.map(toFrame).filter((frame) => frame !== undefined);
    return frames.length === 1 && frames[0] ? frames[0] : Buffer.concat(frames);
  };
}

function converseFrame({ event, data }: WireEvent): Buffer | undefined {
  if (event === undefined) return undefined;
  return event === 'exception' ? exceptionFrame(data) : eventFrame(event, data);
}

/** In the order in which Bedrock writes its headers. */
export const eventFrame = (type: string, data: string): Buffer =>
  amazonFrame({ ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' }, data);

/** `{type, message}` as an exception; names begin with a small letter here (Bedrock API, ConverseStreamOutput). */
export function exceptionFrame(data: string): Buffer {
  const { type, ...told } = parsed(data);
  const name = textOf(type);
  return amazonFrame(
    {
      ':exception-type': name.charAt(0).toLowerCase() + name.slice(1),
      ':content-type': 'application/json',
      ':message-type': 'exception',
    },
    JSON.stringify(told),
  );
}

/** A frame as an event: exceptions, and errors of the line itself, under the one name `exception`. */
export function eventOfFrame({ headers, payload }: AmazonFrame): WireEvent {
  const data = payload.toString('utf8');
  switch (headers[':message-type']) {
    case 'exception':
      return exception({ ...parsed(data), type: headers[':exception-type'] ?? '' });
    case 'error':
      return exception({ type: headers[':error-code'] ?? '', message: headers[':error-message'] ?? '' });
    default:
      return { event: headers[':event-type'] ?? '', data };
  }
}

const exception = (told: JsonObject): WireEvent => ({ event: 'exception', data: JSON.stringify(told) });

function parsed(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return { message: text };
  }
}
