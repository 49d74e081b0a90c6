import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { OperationRequest } from '../../model/operation.ts';
import type { Usage } from '../../model/usage.ts';
import type { Ledger } from '../ledger.ts';
import { type ProviderAnswer, refuse } from './translation.ts';

/** What is to be embedded: text, token ids (OpenAI), or Google's parts where they are more than text. */
export type EmbeddingInput = string | readonly number[] | { readonly parts: readonly JsonValue[] };

export interface EmbeddingAsk {
  readonly inputs: readonly EmbeddingInput[];
  readonly dimensions?: number | undefined;
  /** What the vectors are for, in Google's words (`RETRIEVAL_QUERY`) or Cohere's (`search_query`). */
  readonly purpose?: string | undefined;
  readonly title?: string | undefined;
}

export interface EmbeddingTold {
  readonly vectors: readonly (readonly number[])[];
  readonly usage?: Usage | undefined;
}

/** A wire format of embeddings, as clients speak it. */
export interface ClientEmbeddings {
  decodeRequest(fields: JsonObject, ledger: Ledger): EmbeddingAsk;
  encodeAnswer(told: EmbeddingTold, request: OperationRequest): JsonObject;
}

/** A wire format of embeddings, as providers are asked in it. */
export interface ProviderEmbeddings {
  /** Inputs that one request may hold; absent = any number. */
  readonly atOnce?: (model: string) => number;
  encodeRequest(ask: EmbeddingAsk, model: string, ledger: Ledger): JsonObject;
  decodeAnswer(answer: ProviderAnswer): EmbeddingTold;
}

/** Cohere's and Google's words for what vectors are for. */
const PURPOSES: readonly (readonly [cohere: string, gemini: string])[] = [
  ['search_document', 'RETRIEVAL_DOCUMENT'],
  ['search_query', 'RETRIEVAL_QUERY'],
  ['classification', 'CLASSIFICATION'],
  ['clustering', 'CLUSTERING'],
];

export const coherePurpose = (purpose: string | undefined): string | undefined =>
  PURPOSES.find((pair) => pair.includes(purpose ?? ''))?.[0];

export const geminiPurpose = (purpose: string | undefined): string | undefined =>
  PURPOSES.find((pair) => pair.includes(purpose ?? ''))?.[1] ?? purpose;

/** Texts alone, for providers that embed nothing else. */
export const textsOf = (inputs: readonly EmbeddingInput[]): string[] =>
  inputs.map((input) => (typeof input === 'string' ? input : refuse('input', 'must be text for this provider')));

/** The one input of a request that takes no more. */
export function onlyInput([input, ...others]: readonly EmbeddingInput[]): EmbeddingInput {
  return input === undefined || others.length > 0 ? refuse('input', 'must be one text for this provider') : input;
}

/** A vector of numbers. */
export const isVector = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((entry) => typeof entry === 'number');

/** The text of Google's parts; undefined when they hold more than text. */
export function textOfParts(parts: readonly JsonValue[]): string | undefined {
  const texts = parts.map((part) => (isObject(part) && typeof part.text === 'string' ? part.text : undefined));
  return texts.some((text) => text === undefined) ? undefined : texts.join('\n');
}
