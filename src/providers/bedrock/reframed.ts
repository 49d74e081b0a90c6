import { type AmazonFrame, createAmazonFrameReader } from '../../codecs/amazon-frames.ts';
import { eventOfFrame } from '../../codecs/bedrock-converse/framing.ts';
import { anthropicText, errorTypeOf } from '../../codecs/bedrock-invoke/framing.ts';
import { GatewayError } from '../../model/errors.ts';
import { parsedObject } from '../../model/json.ts';
import { DirectHeaders, DirectResponse, StreamBody } from '../direct-response.ts';

/** How a frame reads as the text of a stream. */
type TextOf = (frame: AmazonFrame) => string;

/** ConverseStream's events: name and payload, as they came. */
const converseText: TextOf = (frame) => {
  const { event, data } = eventOfFrame(frame);
  return `event: ${event}\ndata: ${data.replace(/[\r\n]+/g, ' ')}\n\n`;
};

/** An answer whose stream of frames reads as text. */
export function converseAnswer(answer: DirectResponse): DirectResponse {
  return answer.stream ? reframed(answer, answer.stream, converseText) : named(answer, answer.bytes);
}

/** InvokeModel's answer as Anthropic itself would have given it. */
export function anthropicAnswer(answer: DirectResponse): DirectResponse {
  if (answer.stream) return reframed(answer, answer.stream, anthropicText);
  return named(answer, answer.ok ? answer.bytes : anthropicError(answer));
}

/** CountTokens' answer in Anthropic's words. */
export function anthropicCount(answer: DirectResponse): DirectResponse {
  if (!answer.ok) return anthropicAnswer(answer);
  const { inputTokens } = parsedObject(answer.bytes.toString('utf8')) ?? {};
  return named(answer, Buffer.from(JSON.stringify({ input_tokens: inputTokens })));
}

const reframed = (answer: DirectResponse, inner: StreamBody, textOf: TextOf): DirectResponse =>
  named(answer, new ReframedBody(inner, textOf), 'text/event-stream');

/** The request's id under the name that clients know. */
function named(answer: DirectResponse, body: StreamBody | Buffer, contentType?: string): DirectResponse {
  const { record } = answer.headers;
  const id = record['x-amzn-requestid'];
  const headers = { ...record, ...(id && { 'x-request-id': id }), ...(contentType && { 'content-type': contentType }) };
  const { status, statusText, url } = answer;
  return new DirectResponse({ status, statusText, url, headers: new DirectHeaders(headers) }, body);
}

/** Bedrock's exception in Anthropic's words; its message stays as it is. */
function anthropicError({ bytes, headers, status }: DirectResponse): Buffer {
  const text = bytes.toString('utf8');
  const body = parsedObject(text) ?? {};
  const told = body.message ?? body.Message;
  const exception = (headers.get('x-amzn-errortype') ?? '').split(':')[0] ?? '';
  const fallback = status === 424 ? 'overloaded_error' : '';
  const type = errorTypeOf(exception, fallback);
  if (typeof told !== 'string' || type === '') return bytes;
  return Buffer.from(JSON.stringify({ type: 'error', error: { type, message: told } }));
}

/** The text of a body of frames; back pressure and cancelling reach the connection as ever. */
class ReframedBody extends StreamBody {
  readonly #inner: StreamBody;
  readonly #textOf: TextOf;
  readonly #frames = createAmazonFrameReader();

  constructor(inner: StreamBody, textOf: TextOf) {
    super({ pause: () => {}, resume: () => {}, abort: () => {} });
    this.#inner = inner;
    this.#textOf = textOf;
  }

  override async read(): Promise<Buffer | undefined> {
    for (;;) {
      const bytes = await this.#inner.read();
      if (!bytes) {
        if (this.#frames.inside) throw new GatewayError('network', 'the answer was cut in the middle of a frame');
        return undefined;
      }
      const text = this.#frames.push(bytes).map(this.#textOf).join('');
      if (text !== '') return Buffer.from(text);
    }
  }

  override cancel(reason: Error): void {
    this.#inner.cancel(reason);
  }
}
