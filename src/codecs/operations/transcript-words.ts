import { isObject, type JsonObject, type JsonValue, parsedObject } from '../../model/json.ts';
import { DONE, dataOf, transcriptUsage } from './answer-events.ts';
import { listOf } from './translation.ts';
import { type Measured, measuredFrom } from './usage.ts';

/** Mistral's events of a transcription (Mistral API reference, audio/transcriptions). */
const MISTRAL = /^transcription\./;

/** vLLM writes chunks like those of a chat. */
const VLLM_CHUNK = 'transcription.chunk';

/** Whether an event of a transcription is in another server's words than OpenAI's. */
export function isForeignTranscript(data: string): boolean {
  const event = parsedObject(data);
  return event?.object === VLLM_CHUNK || (typeof event?.type === 'string' && MISTRAL.test(event.type));
}

/** Tells the events of one such stream in OpenAI's words. A state machine: what was said so far is the transcript. */
export class TranscriptWriter {
  #text = '';
  #measured: Measured = {};
  #segments = 0;
  #isOver = false;

  /** The events that this one becomes; an error stays as it is. */
  told(data: string): string {
    const event = parsedObject(data);
    if (!event) return '';
    if (event.error) {
      this.#isOver = true;
      return `data: ${data}\n\n`;
    }
    this.#measured = { ...this.#measured, ...measuredFrom(event.usage) };
    if (event.object === VLLM_CHUNK) return this.#said(textOfChunk(event));
    switch (event.type) {
      case 'transcription.text.delta':
        return this.#said(event.text);
      case 'transcription.segment':
        return this.#segment(event);
      case 'transcription.done':
        return this.#done(event.text);
      default:
        // the language, which OpenAI's events have no place for
        return '';
    }
  }

  /** The last event, where the stream had none of its own. */
  end(): string {
    return this.#isOver ? '' : this.#done(this.#text);
  }

  #said(text: JsonValue | undefined): string {
    if (typeof text !== 'string' || text === '') return '';
    this.#text += text;
    return dataOf({ type: 'transcript.text.delta', delta: text });
  }

  #segment({ text, start, end, speaker_id: speaker }: JsonObject): string {
    const id = `seg_${this.#segments}`;
    this.#segments += 1;
    return dataOf({ type: 'transcript.text.segment', id, start, end, text, speaker: speaker ?? '' });
  }

  #done(text: JsonValue | undefined): string {
    this.#isOver = true;
    const usage = transcriptUsage(this.#measured);
    return dataOf({ type: 'transcript.text.done', text: text ?? this.#text, ...(usage && { usage }) }) + DONE;
  }
}

function textOfChunk({ choices }: JsonObject): JsonValue | undefined {
  const [choice] = listOf(choices);
  return isObject(choice) && isObject(choice.delta) ? choice.delta.content : undefined;
}
