import type { CallContext } from '../model/call.ts';
import type { OperationFrame, OperationRequest } from '../model/operation.ts';
import { cutBytes, OutputCollector } from './contents.ts';
import { Observation } from './observation.ts';
import type { CallContents, ModelCallRecord } from './record.ts';
import type { LogSink } from './sink.ts';

const IS_TEXT = /json|text\//;

/** What is learnt about an operation while its answer passes. Pictures and sound are not kept, only what JSON says. */
export class OperationObservation extends Observation<OperationFrame> {
  readonly #request: OperationRequest;
  readonly #keepsContents: boolean;
  #output: OutputCollector | undefined;
  #seconds: number | undefined;

  constructor(sink: LogSink, request: OperationRequest, context: CallContext) {
    super(sink, request, context);
    this.#request = request;
    this.#keepsContents = sink.keepsContentsOf(context.caller);
  }

  see({ contentType, bytes, translated, usage, seconds }: OperationFrame): void {
    if (this.firstTokenMs === undefined) this.sawContent();
    if (usage) this.usage = usage;
    this.#seconds = seconds ?? this.#seconds;
    if (this.#keepsContents && contentType && IS_TEXT.test(contentType)) {
      this.#output = new OutputCollector(this.sink.maxContentBytes);
    }
    const said = translated ? Buffer.from(JSON.stringify(translated)) : bytes;
    this.#output?.see({ raw: { codec: 'openai-chat', bytes: said }, events: [] });
  }

  /** Seconds of sound are no tokens: they are told beside them. */
  override record(): ModelCallRecord {
    const record = super.record();
    if (this.#seconds === undefined) return record;
    return { ...record, metadata: { ...record.metadata, audio_seconds: String(this.#seconds) } };
  }

  protected contents(): CallContents | undefined {
    if (!this.#keepsContents) return undefined;
    const { payload } = this.#request;
    const isJson = payload.contentType.includes('json');
    const whole = isJson ? payload.bytes : this.#shownForm();
    const request = cutBytes(whole, this.sink.maxContentBytes);
    const { response, truncated: isAnswerCut } = this.#output?.take() ?? {};
    const truncated = request.length < whole.length || payload.upload !== undefined || isAnswerCut === true;
    return { requestCodec: OPERATION, request, responseCodec: OPERATION, response, truncated };
  }

  /** A form without its files, which are named. */
  #shownForm(): Uint8Array {
    const { fields, files, upload } = this.#request.payload;
    const named = files.map(({ field, fileName, mediaType, bytes }) => ({
      field,
      fileName,
      mediaType,
      // of one that travelled while it came nobody counted the bytes
      ...(!upload && { size: bytes.length }),
    }));
    return Buffer.from(JSON.stringify({ ...fields, files: named }));
  }
}

/** No codec: the log shows the texts as they travelled. */
const OPERATION = 'operation';
