import type { AnswerContext, Codec } from '../codecs/codec.ts';
import { createSseReader } from '../codecs/sse.ts';
import type { Frame, StreamEvent } from '../model/event.ts';
import type { StreamBody } from './direct-response.ts';
import type { IdleWatch } from './idle.ts';

export interface Decoded {
  readonly codec: Codec;
  readonly context: AnswerContext;
  readonly body: StreamBody;
  readonly watch: IdleWatch;
}

/**
 * An upstream's stream as events, a frame for each read. `response-start` waits for the first content, so that a
 * failure before it can still be answered by another provider. Throws GatewayError; what came before is yielded first.
 */
export async function* decodedFrames({ codec, context, body, watch }: Decoded): AsyncGenerator<Frame> {
  const reader = createSseReader();
  const decoder = codec.decodeStream(context);
  let events: StreamEvent[] = [];
  let begun = false;
  let failure: unknown;
  while (failure === undefined) {
    try {
      const bytes = await body.read();
      if (!bytes) break;
      const wireEvents = reader.push(bytes);
      if (wireEvents.length > 0) watch.heard();
      for (const wireEvent of wireEvents) append(events, decoder.push(wireEvent));
      if (events.at(-1)?.type === 'response-end') watch.complete();
    } catch (thrown) {
      failure = thrown;
    }
    begun ||= events.some(({ type }) => type !== 'response-start');
    if (!begun || events.length === 0) continue;
    yield { events };
    events = [];
  }
  try {
    for (const wireEvent of reader.end()) append(events, decoder.push(wireEvent));
    append(events, decoder.end());
  } catch (thrown) {
    // An upstream that goes silent or breaks off behind a complete answer has answered; otherwise the first fault counts
    throw failure ?? thrown;
  }
  if (events.length > 0) yield { events };
}

function append(events: StreamEvent[], more: readonly StreamEvent[]): void {
  for (const event of more) events.push(event);
}
