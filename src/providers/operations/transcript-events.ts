import { isForeignTranscript, TranscriptWriter } from '../../codecs/operations/transcript-words.ts';
import { createSseReader } from '../../codecs/sse.ts';
import type { OperationFrame } from '../../model/operation.ts';

/**
 * A transcript as it comes, in OpenAI's events. Where it came in those, not a byte is touched; what the first event is
 * tells. Throws what `frames` throws.
 */
export async function* transcriptEvents(frames: AsyncIterable<OperationFrame>): AsyncGenerator<OperationFrame> {
  const reader = createSseReader();
  const writer = new TranscriptWriter();
  let isForeign: boolean | undefined;
  for await (const frame of frames) {
    if (isForeign === false) {
      yield frame;
      continue;
    }
    const events = reader.push(frame.bytes);
    isForeign ??= events.some(({ data }) => isForeignTranscript(data));
    yield isForeign ? { ...frame, bytes: Buffer.from(events.map(({ data }) => writer.told(data)).join('')) } : frame;
  }
  if (!isForeign) return;
  const last = reader.end().map(({ data }) => writer.told(data));
  yield { bytes: Buffer.from(last.join('') + writer.end()) };
}
