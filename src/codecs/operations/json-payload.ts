import type { JsonObject } from '../../model/json.ts';
import type { Payload, PayloadFile } from '../../model/operation.ts';
import type { BodySource } from '../../model/request.ts';

const NO_FILES: readonly PayloadFile[] = Object.freeze([]);

/** A JSON body as the payload of an operation. */
export class JsonPayload implements Payload {
  readonly contentType = 'application/json';
  readonly files = NO_FILES;
  readonly #source: BodySource;

  constructor(source: BodySource) {
    this.#source = source;
  }

  get bytes(): Uint8Array {
    return this.#source.bytes;
  }

  get fields(): JsonObject {
    return this.#source.body;
  }

  withModel(model: string, members?: string): Uint8Array {
    return this.#source.withModel(model, members);
  }
}
