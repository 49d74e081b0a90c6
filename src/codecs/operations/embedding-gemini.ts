import { isObject, type JsonObject } from '../../model/json.ts';
import type { Ledger } from '../ledger.ts';
import {
  type ClientEmbeddings,
  type EmbeddingAsk,
  type EmbeddingInput,
  type EmbeddingTold,
  geminiPurpose,
  isVector,
  onlyInput,
  type ProviderEmbeddings,
  textOfParts,
} from './embedding-format.ts';
import { dropOthers, listOf, malformed, numberOrNothing, refuse, textOrNothing } from './translation.ts';
import { usageFrom } from './usage.ts';

const KNOWN: ReadonlySet<string> = new Set([
  ...['model', 'fallbacks', 'content', 'taskType', 'task_type', 'title'],
  ...['outputDimensionality', 'output_dimensionality'],
]);

/** Gemini API, `models.embedContent`: one content, one vector. */
export const geminiEmbeddings: ClientEmbeddings & ProviderEmbeddings = {
  atOnce: () => 1,
  decodeRequest: (fields, ledger) => askOf(fields, [fields], ledger),
  encodeRequest: ({ inputs, ...settings }) => contentRequest(onlyInput(inputs), settings),
  decodeAnswer: ({ body }) => toldBy(body, [body.embedding]),
  encodeAnswer: ({ vectors: [vector = []], usage }) => ({ embedding: { values: [...vector] }, ...wireUsage(usage) }),
};

/** Gemini API, `models.batchEmbedContents`: a list of such requests, each of which names the model. */
export const geminiBatchEmbeddings: ClientEmbeddings & ProviderEmbeddings = {
  // Gemini API, `models.batchEmbedContents`: more are refused
  atOnce: () => 100,
  decodeRequest(fields, ledger) {
    const requests = listOf(fields.requests).filter(isObject);
    const [first] = requests;
    return first ? askOf(first, requests, ledger) : refuse('requests', 'is required: a list of {content}');
  },
  encodeRequest: ({ inputs, ...settings }, model) => ({
    requests: inputs.map((input) => ({ model: `models/${model}`, ...contentRequest(input, settings) })),
  }),
  decodeAnswer: ({ body }) => toldBy(body, listOf(body.embeddings)),
  encodeAnswer: ({ vectors, usage }) => ({
    embeddings: vectors.map((vector) => ({ values: [...vector] })),
    ...wireUsage(usage),
  }),
};

/** Vertex AI, `embedContent`: the same with its settings in a member of their own. */
export const vertexEmbeddings: ClientEmbeddings & ProviderEmbeddings = {
  ...geminiEmbeddings,
  decodeRequest({ embedContentConfig: config, ...fields }, ledger) {
    const settings = isObject(config) ? config : {};
    return askOf({ ...fields, ...settings }, [fields], ledger);
  },
  encodeRequest({ inputs, ...settings }) {
    const { content, ...config } = contentRequest(onlyInput(inputs), settings);
    return { content, embedContentConfig: config };
  },
};

/** Settings are those of the first request: the other formats have them once for all inputs. */
function askOf(settings: JsonObject, requests: readonly JsonObject[], ledger: Ledger): EmbeddingAsk {
  dropOthers(settings, KNOWN, ledger);
  return {
    inputs: requests.map(inputOf),
    dimensions: numberOrNothing(settings.outputDimensionality ?? settings.output_dimensionality),
    purpose: textOrNothing(settings.taskType ?? settings.task_type),
    title: textOrNothing(settings.title),
  };
}

function inputOf({ content }: JsonObject): EmbeddingInput {
  if (typeof content === 'string') return content;
  const parts = isObject(content) ? listOf(content.parts) : [];
  if (parts.length === 0) return refuse('content', 'is required: {"parts": [{"text": ...}]}');
  return textOfParts(parts) ?? { parts };
}

function contentRequest(
  input: EmbeddingInput,
  { dimensions, purpose, title }: Omit<EmbeddingAsk, 'inputs'>,
): JsonObject {
  return {
    content: { parts: typeof input === 'string' ? [{ text: input }] : partsOf(input) },
    taskType: geminiPurpose(purpose),
    title,
    outputDimensionality: dimensions,
  };
}

const partsOf = (input: Exclude<EmbeddingInput, string>) =>
  'parts' in input ? [...input.parts] : refuse('input', 'must be text for this provider, not token ids');

function toldBy(body: JsonObject, embeddings: readonly unknown[]): EmbeddingTold {
  const vectors = embeddings.map((embedding) => {
    if (isObject(embedding) && isVector(embedding.values)) return embedding.values;
    throw malformed('embeddings');
  });
  return { vectors, usage: usageFrom(body.usageMetadata) };
}

const wireUsage = (usage: EmbeddingTold['usage']): JsonObject =>
  usage ? { usageMetadata: { promptTokenCount: usage.input, totalTokenCount: usage.input + usage.output } } : {};
