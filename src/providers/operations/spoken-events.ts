import { soundEvent, soundsEnd } from '../../codecs/operations/answer-events.ts';
import type { OperationFrame } from '../../model/operation.ts';

/** Sound that comes in pieces, as OpenAI's events of speech. */
export async function* spokenEvents(frames: AsyncIterable<OperationFrame>): AsyncGenerator<OperationFrame> {
  let contentType: string | undefined = 'text/event-stream';
  for await (const { bytes } of frames) {
    if (bytes.length === 0) continue;
    yield { ...(contentType && { contentType }), bytes: Buffer.from(soundEvent(bytes)) };
    contentType = undefined;
  }
  yield { ...(contentType && { contentType }), bytes: Buffer.from(soundsEnd(undefined)) };
}
