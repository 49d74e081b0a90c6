import { isObject, type JsonValue } from '../../model/json.ts';
import {
  type ClientEmbeddings,
  geminiPurpose,
  isVector,
  type ProviderEmbeddings,
  textsOf,
} from './embedding-format.ts';
import { dropOthers, listOf, malformed, numberOrNothing, refuse, textOrNothing } from './translation.ts';
import { inputUsage } from './usage.ts';

const KNOWN: ReadonlySet<string> = new Set(['model', 'fallbacks', 'instances', 'parameters']);

/** Vertex AI, text embeddings API (`predict`): each text is an instance with what it is for. */
export const vertexPredictions: ClientEmbeddings & ProviderEmbeddings = {
  decodeRequest(fields, ledger) {
    dropOthers(fields, KNOWN, ledger);
    const instances = listOf(fields.instances).filter(isObject);
    const [first] = instances;
    if (!first) return refuse('instances', 'is required: a list of {"content": text}');
    const parameters = isObject(fields.parameters) ? fields.parameters : {};
    return {
      inputs: instances.map(
        ({ content }) => textOrNothing(content) ?? refuse('instances', 'must be texts: {"content": text}'),
      ),
      dimensions: numberOrNothing(parameters.outputDimensionality),
      purpose: textOrNothing(first.task_type ?? first.taskType),
      title: textOrNothing(first.title),
    };
  },

  encodeAnswer: ({ vectors, usage }) => ({
    predictions: vectors.map((vector) => ({
      embeddings: {
        values: [...vector],
        // all that is counted is known of a single text only
        statistics: { truncated: false, ...(usage && vectors.length === 1 && { token_count: usage.input }) },
      },
    })),
  }),

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
