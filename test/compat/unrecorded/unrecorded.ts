import type { CodecId } from '../../../src/model/content.ts';
import type { FinishReason } from '../../../src/model/event.ts';
import type { JsonObject, JsonValue } from '../../../src/model/json.ts';
import type { ReadFormat } from '../answers.ts';

/**
 * An answer of a kind that providers give and nobody recorded, written after the reference of its API, and what every
 * client must make of it.
 */
export interface Unrecorded {
  readonly what: string;
  readonly format: CodecId;
  /** The gateway's provider, where another one than the format's own. */
  readonly provider?: string;
  /** The events of a stream, or its text. */
  readonly chunks?: readonly JsonObject[] | string;
  readonly whole?: JsonObject;
  readonly says: Said | { readonly fails: number | undefined };
  /** Fields that the ledger of every client of another format names, or of those given. */
  readonly losses?: readonly RegExp[];
  /** What stands in the whole answers of clients of these formats. */
  readonly tells?: Readonly<Partial<Record<ReadFormat, readonly string[]>>>;
}

export interface Said {
  readonly text?: string;
  /** For clients of formats that tell something else as text, too. */
  readonly texts?: Readonly<Partial<Record<ReadFormat, string>>>;
  /** Said instead of an answer: formats without a word for that say it as text. */
  readonly refusal?: string;
  readonly reasoning?: string;
  readonly calls?: readonly (readonly [name: string, input: JsonValue, id?: string])[];
  /** Absent = `stop`, with calls `tool-calls`. */
  readonly kind?: FinishReason['kind'];
  /** Inclusive counts; absent = 11 and 7. */
  readonly usage?: {
    readonly input?: number;
    readonly output?: number;
    readonly cacheRead?: number;
    readonly reasoning?: number;
  };
}
