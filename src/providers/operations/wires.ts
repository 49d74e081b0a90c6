import type { OperationKind, StoredKind } from '../../model/operation.ts';
import { googleModelPath } from '../base-url.ts';
import type { OperationTable, OperationWire } from '../provider.ts';

/** Operations with a path of their own; the others go where the client's own path says. */
type PlainKind = Exclude<OperationKind, StoredKind | 'passthrough'>;

/** Below the base URL of every server that has OpenAI's API (OpenAI API reference; `/rerank` is vLLM's and Jina's). */
const OPENAI_PATHS: Readonly<Record<PlainKind, string>> = {
  text_completion: '/completions',
  embedding: '/embeddings',
  image_generation: '/images/generations',
  image_edit: '/images/edits',
  image_variation: '/images/variations',
  speech: '/audio/speech',
  transcription: '/audio/transcriptions',
  translation: '/audio/translations',
  rerank: '/rerank',
  responses_compact: '/responses/compact',
};

/** Operations in OpenAI's own format, at OpenAI's paths. */
export const openAiOperations = (...kinds: readonly PlainKind[]): OperationTable =>
  Object.fromEntries(kinds.map((kind) => [kind, [{ format: 'openai', path: () => OPENAI_PATHS[kind] }]]));

/** Operations on what the provider keeps, at the client's own path below the base URL. */
const storedOperations = (...kinds: readonly StoredKind[]): OperationTable =>
  Object.fromEntries(
    kinds.map((kind) => [kind, [{ format: 'openai', path: (_model, { forwarded }) => forwarded?.path ?? '' }]]),
  );

/** Everything that OpenAI itself can do beside chats. */
export const allOpenAiOperations: OperationTable = {
  ...storedOperations(
    'responses_retrieve',
    'responses_delete',
    'responses_cancel',
    'responses_input_items',
    'file_upload',
    'file_list',
    'file_retrieve',
    'file_delete',
    'file_content',
    'batch_create',
    'batch_list',
    'batch_retrieve',
    'batch_cancel',
  ),
  ...openAiOperations(
    'text_completion',
    'embedding',
    'image_generation',
    'image_edit',
    'image_variation',
    'speech',
    'transcription',
    'translation',
    'responses_compact',
  ),
};

const gemini = (format: OperationWire['format'], verb: string): OperationWire => ({
  format,
  path: (model) => `${googleModelPath(model)}:${verb}`,
});

/** Gemini API, `models.embedContent` and `models.batchEmbedContents`. */
export const geminiOperations: OperationTable = {
  embedding: [gemini('gemini-batch', 'batchEmbedContents'), gemini('gemini', 'embedContent')],
};

/** Cohere API v2; at the root, because the base URL of its chats may be that of its OpenAI-compatible API. */
export const cohereOperations: OperationTable = {
  embedding: [{ format: 'cohere', path: () => '/v2/embed', atRoot: true }],
  rerank: [{ format: 'cohere', path: () => '/v2/rerank', atRoot: true }],
};
