import { streamError } from '../../codecs/openai-errors.ts';
import { eventsOfAnswer, hasEvents } from '../../codecs/operations/answer-events.ts';
import type { ClientAnswer, ProviderAnswer } from '../../codecs/operations/translation.ts';
import { type Measured, measuredFrom, measuredInJson } from '../../codecs/operations/usage.ts';
import { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject, type JsonValue, parsedJson } from '../../model/json.ts';
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
    if (request.stream && hasEvents(request.kind)) return eventsFrame(ownAnswer(answer, provider), request);
    // a page of some proxy, under a status that says that all went well
    if (contentType.startsWith('text/html')) throw unreadable(answer, provider, 'an answer');
    const measured = contentType.includes('json') ? measuredInJson(bytes) : {};
    return { contentType, bytes, isWhole: true, ...amountsOf(measured) };
  }
  const read = (each: DirectResponse) => readAnswer(each, provider);
  const told = translation.answer(read(answer), request, others.map(read));
  return request.stream ? { ...eventsFrame(told, request), isConverted: true } : toldFrame(told);
}

export const readAnswer = (answer: DirectResponse, provider: string): ProviderAnswer =>
  new WholeAnswer(answer, provider);

/** What a provider of the client's own format said. */
function ownAnswer(answer: DirectResponse, provider: string): ClientAnswer {
  const contentType = contentTypeOf(answer);
  if (!contentType.includes('json')) return { contentType, bytes: answer.bytes };
  const { body } = readAnswer(answer, provider);
  if (isObject(body.error) || typeof body.error === 'string') throw streamError(body.error);
  return { body, ...measuredFrom(body.usage) };
}

function toldFrame(told: ClientAnswer): OperationFrame {
  const amounts = amountsOf(told);
  if ('body' in told)
    return { contentType: 'application/json', bytes: NO_BYTES, translated: told.body, isWhole: true, ...amounts };
  return { contentType: told.contentType, bytes: told.bytes, isWhole: true, ...amounts };
}

/** The stream that was asked for, of a provider that gave a whole answer. */
const eventsFrame = (told: ClientAnswer, { kind }: OperationRequest): OperationFrame => ({
  contentType: 'text/event-stream',
  bytes: Buffer.from(eventsOfAnswer(kind, told)),
  isWhole: true,
  ...amountsOf(told),
});

export const amountsOf = ({ usage, seconds }: Measured): Pick<OperationFrame, 'usage' | 'seconds'> => ({
  ...(usage && { usage }),
  ...(seconds !== undefined && { seconds }),
});

const NO_BYTES = new Uint8Array(0);

class WholeAnswer implements ProviderAnswer {
  readonly contentType: string;
  readonly bytes: Buffer;
  readonly receivedAtMs = Date.now();
  readonly inputTokens: number | undefined;
  readonly #answer: DirectResponse;
  readonly #provider: string;

  constructor(answer: DirectResponse, provider: string) {
    this.contentType = contentTypeOf(answer);
    this.bytes = answer.bytes;
    const counted = Number(answer.headers.get('x-amzn-bedrock-input-token-count') ?? Number.NaN);
    this.inputTokens = Number.isNaN(counted) ? undefined : counted;
    this.#answer = answer;
    this.#provider = provider;
  }

  get value(): JsonValue {
    const value = parsedJson(this.bytes.toString('utf8'));
    if (value === undefined) throw unreadable(this.#answer, this.#provider, 'JSON');
    return value;
  }

  get body(): JsonObject {
    const { value } = this;
    if (isObject(value)) return value;
    throw unreadable(this.#answer, this.#provider, 'a JSON object');
  }
}

function unreadable(answer: DirectResponse, provider: string, expected: string): GatewayError {
  const start = answer.bytes.toString('utf8', 0, 200);
  return new GatewayError(
    'bad-response',
    `${provider} answered with ${contentTypeOf(answer)} in place of ${expected}: ${start}`,
    { provider },
  );
}
