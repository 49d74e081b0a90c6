import type { OperationKind } from '../../model/operation.ts';
import { googleModelPath } from '../base-url.ts';
import type { OperationTable, OperationWire } from '../provider.ts';

/** Below the base URL of every server that has OpenAI's API (OpenAI API reference; `/rerank` is vLLM's and Jina's). */
const OPENAI_PATHS: Readonly<Record<OperationKind, string>> = {
  text_completion: '/completions',
  embedding: '/embeddings',
  image_generation: '/images/generations',
  image_edit: '/images/edits',
  image_variation: '/images/variations',
  speech: '/audio/speech',
  transcription: '/audio/transcriptions',
  translation: '/audio/translations',
  rerank: '/rerank',
};

/** Operations in OpenAI's own format, at OpenAI's paths. */
export const openAiOperations = (...kinds: readonly OperationKind[]): OperationTable =>
  Object.fromEntries(kinds.map((kind) => [kind, [{ format: 'openai', path: () => OPENAI_PATHS[kind] }]]));

/** Everything that OpenAI itself can do beside chats. */
export const allOpenAiOperations = openAiOperations(
  'text_completion',
  'embedding',
  'image_generation',
  'image_edit',
  'image_variation',
  'speech',
  'transcription',
  'translation',
);

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
