import { eventsOfAnswer } from '../../codecs/operations/answer-events.ts';
import type { ClientAnswer, ProviderAnswer } from '../../codecs/operations/translation.ts';
import { usageInJson } from '../../codecs/operations/usage.ts';
import { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { OperationFrame, OperationRequest } from '../../model/operation.ts';
import type { DirectResponse } from '../direct-response.ts';
import type { OutgoingOperation } from './outgoing.ts';

export const contentTypeOf = ({ headers }: DirectResponse): string =>
  headers.get('content-type') ?? 'application/octet-stream';

/** An answer that came whole, as the client is told it; `others`: those to the bodies behind the first. */
export function wholeFrame(
  [answer, ...others]: readonly [DirectResponse, ...DirectResponse[]],
  { translation }: OutgoingOperation,
  request: OperationRequest,
  provider: string,
): OperationFrame {
  const { bytes } = answer;
  const contentType = contentTypeOf(answer);
  if (!translation?.answer) {
    const usage = contentType.includes('json') ? usageInJson(bytes) : undefined;
    return { contentType, bytes, isWhole: true, ...(usage && { usage }) };
  }
  const read = (each: DirectResponse) => readAnswer(each, provider);
  const told = translation.answer(read(answer), request, others.map(read));
  return request.stream ? eventsFrame(told, request) : toldFrame(told);
}

export const readAnswer = (answer: DirectResponse, provider: string): ProviderAnswer =>
  new WholeAnswer(answer, provider);

function toldFrame(told: ClientAnswer): OperationFrame {
  const usage = told.usage && { usage: told.usage };
  if ('body' in told)
    return { contentType: 'application/json', bytes: NO_BYTES, translated: told.body, isWhole: true, ...usage };
  return { contentType: told.contentType, bytes: told.bytes, isWhole: true, ...usage };
}

/** The stream that was asked for, of a provider that gives whole answers only. */
const eventsFrame = (told: ClientAnswer, { kind }: OperationRequest): OperationFrame => ({
  contentType: 'text/event-stream',
  bytes: Buffer.from(eventsOfAnswer(kind, told)),
  ...(told.usage && { usage: told.usage }),
});

const NO_BYTES = new Uint8Array(0);

class WholeAnswer implements ProviderAnswer {
  readonly contentType: string;
  readonly bytes: Buffer;
  readonly receivedAtMs = Date.now();
  readonly inputTokens: number | undefined;
  readonly #provider: string;

  constructor(answer: DirectResponse, provider: string) {
    this.contentType = contentTypeOf(answer);
    this.bytes = answer.bytes;
    const counted = Number(answer.headers.get('x-amzn-bedrock-input-token-count') ?? Number.NaN);
    this.inputTokens = Number.isNaN(counted) ? undefined : counted;
    this.#provider = provider;
  }

  get value(): JsonValue {
    try {
      return JSON.parse(this.bytes.toString('utf8')) as JsonValue;
    } catch {
      throw this.#unreadable('JSON');
    }
  }

  get body(): JsonObject {
    const { value } = this;
    if (isObject(value)) return value;
    throw this.#unreadable('a JSON object');
  }

  #unreadable(expected: string): GatewayError {
    const start = this.bytes.toString('utf8', 0, 200);
    return new GatewayError(
      'bad-response',
      `${this.#provider} answered with ${this.contentType} in place of ${expected}: ${start}`,
      { provider: this.#provider },
    );
  }
}
