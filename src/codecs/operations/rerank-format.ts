import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { Usage } from '../../model/usage.ts';
import { malformed, type ProviderAnswer, refuse, type SentBodies, type SentBody } from './translation.ts';

/** A text that is to be ranked. */
export interface RankedDocument {
  readonly text: string;
  readonly title?: string;
  /** As the client gave it. */
  readonly given: JsonValue;
}

/** What a client asks of any reranker. */
export interface RerankAsked {
  readonly query: string;
  readonly documents: readonly RankedDocument[];
  readonly topN: JsonValue | undefined;
  /** What else the client's body holds: its provider takes what it knows. */
  readonly more: JsonObject;
}

export interface RankedResult {
  /** Of the document, as the client numbers them. */
  readonly index: number;
  readonly score: JsonValue | undefined;
}

/** What a reranker answers, best first. */
export interface Ranking {
  readonly id?: JsonValue | undefined;
  readonly results: readonly RankedResult[];
  readonly meta?: JsonValue | undefined;
  readonly usage?: Usage | undefined;
}

/** A client's side of reranking. */
export interface RerankClient {
  /** Throws GatewayError('invalid-request'). */
  decodeRequest(fields: JsonObject): RerankAsked;
  encodeAnswer(ranking: Ranking, asked: RerankAsked, model: string, fields: JsonObject): JsonObject;
}

/** A provider's side of reranking. */
export interface RerankProvider {
  /** Which of `RerankAsked.more` it understands. */
  readonly knows: ReadonlySet<string>;
  encodeRequest(asked: RerankAsked, model: string): SentBody | SentBodies;
  /** `answers` are to the bodies in their order. Throws GatewayError('bad-response'). */
  decodeAnswers(answers: readonly [ProviderAnswer, ...ProviderAnswer[]], asked: RerankAsked): Ranking;
}

export function documentsOf(value: JsonValue | undefined, field: string, what: string): readonly JsonValue[] {
  return Array.isArray(value) && value.length > 0 ? value : refuse(field, `is required: ${what}`);
}

/** `results` of Cohere's API, which the servers that imitate it give too. */
export function resultsIn(body: JsonObject): readonly RankedResult[] {
  if (!Array.isArray(body.results)) throw malformed('results');
  return body.results
    .filter(isObject)
    .flatMap(({ index, relevance_score: score }) => (typeof index === 'number' ? [{ index, score }] : []));
}
