import { streamError } from '../../codecs/openai-errors.ts';
import { type Measured, measuredFrom } from '../../codecs/operations/usage.ts';
import { createSseReader } from '../../codecs/sse.ts';
import { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonValue, parsedObject } from '../../model/json.ts';
import type { OperationFrame } from '../../model/operation.ts';
import type { StreamBody } from '../direct-response.ts';
import { cutShort, watchIdle } from '../idle.ts';
import { amountsOf } from './whole-answer.ts';

export interface StreamedAnswer {
  readonly body: StreamBody;
  readonly contentType: string;
  readonly provider: string;
  readonly idleMs: number;
  /** Pictures or completions that were asked for; absent = one. */
  readonly answers?: number;
  /** Called with an error that the bytes already tell the client about. */
  readonly onErrorInside: (error: GatewayError) => void;
}

/** Sound, or whatever else has no form that we could read: as it comes. */
export async function* byteFrames({
  body,
  contentType,
  provider,
  idleMs,
}: StreamedAnswer): AsyncGenerator<OperationFrame> {
  const watch = watchIdle(body, { idleMs, provider, isComplete: () => false });
  try {
    const first = await body.read();
    yield { contentType, bytes: first ?? new Uint8Array(0) };
    for (let bytes = first; bytes; bytes = await body.read()) {
      watch.heard();
      if (bytes !== first) yield { bytes };
    }
  } finally {
    watch.stop();
  }
}

/**
 * An event stream as it came, a frame for each read. Nothing is passed on before the first event, so that an error in
 * its place can still be answered by another provider. A stream that was cut throws GatewayError('network').
 */
export async function* eventFrames(answer: StreamedAnswer): AsyncGenerator<OperationFrame> {
  const { body, contentType, provider, idleMs, answers, onErrorInside } = answer;
  const events = new SeenEvents(answers);
  const watch = watchIdle(body, { idleMs, provider, isComplete: () => events.isComplete });
  let held: Buffer[] | undefined = [];
  let broken: unknown;
  try {
    for (;;) {
      const bytes = await body.read().catch((thrown: unknown) => {
        broken = thrown;
      });
      if (!bytes) break;
      watch.heard();
      events.push(bytes);
      held?.push(bytes);
      if (held && events.count === 0) continue;
      if (held && events.error) throw named(events.error, provider);
      yield held ? { contentType, bytes: Buffer.concat(held) } : { bytes };
      held = undefined;
    }
  } finally {
    watch.stop();
  }
  events.end();
  if (events.error && held) throw named(events.error, provider);
  // fewer pictures than were asked for, and a proper end behind them, are all that there are
  const isOver = events.isComplete || (events.pictures > 0 && broken === undefined);
  if (!isOver && !events.error) throw broken ?? cutShort(provider);
  if (events.error) onErrorInside(named(events.error, provider));
  const bytes = held ? Buffer.concat(held) : NO_BYTES;
  yield { ...(held && { contentType }), bytes, ...amountsOf(events.measured) };
}

const NO_BYTES = new Uint8Array(0);

const named = (error: GatewayError, provider: string): GatewayError =>
  new GatewayError(error.kind, error.message, { ...error.details, provider });

/** The last event of each kind of stream (OpenAI API reference; `transcription.done` is Mistral's). */
const LAST_TYPE =
  /^(?:transcription\.done|speech\.audio\.done|transcript\.text\.done|response\.(?:completed|incomplete|failed))$/;

/** The last event of each picture. */
const PICTURE_TYPE = /^image_(?:generation|edit)\.completed$/;

/** What the events of a stream tell of it, seen in passing. */
class SeenEvents {
  readonly #reader = createSseReader();
  readonly #answers: number;
  readonly #finished = new Set<unknown>();
  count = 0;
  pictures = 0;
  isComplete = false;
  measured: Measured = {};
  error: GatewayError | undefined;

  constructor(answers = 1) {
    this.#answers = answers;
  }

  push(bytes: Uint8Array): void {
    for (const { data } of this.#reader.push(bytes)) this.#see(data);
  }

  end(): void {
    for (const { data } of this.#reader.end()) this.#see(data);
  }

  #see(data: string): void {
    this.count++;
    if (data === '[DONE]') this.isComplete = true;
    // pictures are long, and only short events say how things went
    if (data.length > MAX_READ && !data.includes('"usage"')) {
      this.#seeType(/"type":\s*"([\w.]+)"/.exec(data)?.[1]);
      return;
    }
    const body = parsedObject(data);
    if (!body) return;
    if (isObject(body.error) || typeof body.error === 'string') this.error ??= streamError(body.error);
    if (isObject(body.usage)) this.measured = { ...this.measured, ...measuredFrom(body.usage) };
    this.#seeType(body.type);
    for (const choice of Array.isArray(body.choices) ? body.choices : []) this.#seeChoice(choice);
  }

  #seeType(type: JsonValue | undefined): void {
    if (typeof type !== 'string') return;
    if (PICTURE_TYPE.test(type)) this.pictures += 1;
    this.isComplete ||= LAST_TYPE.test(type) || this.pictures >= this.#answers;
  }

  #seeChoice(choice: JsonValue): void {
    if (!isObject(choice) || typeof choice.finish_reason !== 'string') return;
    this.#finished.add(choice.index);
    this.isComplete ||= this.#finished.size >= this.#answers;
  }
}

const MAX_READ = 65_536;
