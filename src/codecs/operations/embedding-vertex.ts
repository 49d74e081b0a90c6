import { isObject, type JsonValue } from '../../model/json.ts';
import { geminiPurpose, isVector, type ProviderEmbeddings, textsOf } from './embedding-format.ts';
import { listOf, malformed } from './translation.ts';
import { inputUsage } from './usage.ts';

/** Vertex AI, text embeddings API (`predict`): each text is an instance with what it is for. */
export const vertexPredictions: ProviderEmbeddings = {
  // Vertex AI, text embeddings API: 250 texts a request, of gemini-embedding-001 one
  atOnce: (model) => (/gemini-embedding/.test(model) ? 1 : 250),

  encodeRequest({ inputs, dimensions, purpose, title }) {
    const settings = { task_type: geminiPurpose(purpose), title };
    return {
      instances: textsOf(inputs).map((content) => ({ content, ...settings })),
      ...(dimensions !== undefined && { parameters: { outputDimensionality: dimensions } }),
    };
  },

  decodeAnswer({ body }) {
    const told = listOf(body.predictions).map(embeddingIn);
    if (told.length === 0) throw malformed('embeddings');
    const counts = told.flatMap(({ tokens }) => (tokens === undefined ? [] : [tokens]));
    const counted = counts.length > 0 ? counts.reduce((sum, count) => sum + count, 0) : undefined;
    return { vectors: told.map(({ vector }) => vector), usage: inputUsage(counted) };
  },
};

function embeddingIn(prediction: JsonValue): { vector: number[]; tokens: number | undefined } {
  const embeddings = isObject(prediction) ? prediction.embeddings : undefined;
  if (!isObject(embeddings) || !isVector(embeddings.values)) throw malformed('embeddings');
  const tokens = isObject(embeddings.statistics) ? embeddings.statistics.token_count : undefined;
  return { vector: embeddings.values, tokens: typeof tokens === 'number' ? tokens : undefined };
}
