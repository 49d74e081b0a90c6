import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { type ClientEmbeddings, type EmbeddingInput, isVector, type ProviderEmbeddings } from './embedding-format.ts';
import { countIfGiven, dropOthers, listOf, malformed, refuse, textIfGiven, textOrNothing } from './translation.ts';
import { openAiUsage, usageFrom } from './usage.ts';

const KNOWN: ReadonlySet<string> = new Set([
  ...['model', 'fallbacks', 'input', 'dimensions', 'encoding_format'],
  ...['task_type', 'input_type', 'title'],
]);

/** OpenAI API reference, embeddings; `task_type`, `input_type` and `title` reach the providers that know them. */
export const openAiEmbeddings: ClientEmbeddings & ProviderEmbeddings = {
  decodeRequest(fields, ledger) {
    dropOthers(fields, KNOWN, ledger);
    const encoding = textIfGiven(fields, 'encoding_format');
    if (encoding !== undefined && encoding !== 'float' && encoding !== 'base64')
      refuse('encoding_format', 'can be float or base64 for this provider');
    return {
      inputs: inputsOf(fields.input),
      dimensions: countIfGiven(fields, 'dimensions'),
      purpose: textOrNothing(fields.task_type) ?? textOrNothing(fields.input_type),
      title: textOrNothing(fields.title),
    };
  },

  encodeRequest({ inputs, dimensions, purpose, title }, model, ledger) {
    if (purpose !== undefined) ledger.dropped('taskType', 'the provider has no such field');
    if (title !== undefined) ledger.dropped('title', 'the provider has no such field');
    const input = inputs.map(textOrTokens);
    const [only] = input;
    return {
      model,
      input: input.length === 1 && only !== undefined ? only : input,
      encoding_format: 'float',
      ...(dimensions !== undefined && { dimensions }),
    };
  },

  decodeAnswer({ body }) {
    const data = listOf(body.data).filter(isObject);
    if (data.length === 0) throw malformed('embeddings');
    const vectors = data.toSorted((a, b) => indexOf(a) - indexOf(b)).map(({ embedding }) => vectorOf(embedding));
    return { vectors, usage: usageFrom(body.usage) };
  },

  encodeAnswer({ vectors, usage }, { model, payload }) {
    const asBase64 = payload.fields.encoding_format === 'base64';
    return {
      object: 'list',
      data: vectors.map((vector, index) => ({
        object: 'embedding',
        index,
        embedding: asBase64 ? base64Of(vector) : [...vector],
      })),
      model,
      usage: openAiUsage(usage),
    };
  },
};

/** A text or a list of token ids is one input; a list of either is several. */
function inputsOf(input: JsonValue | undefined): EmbeddingInput[] {
  if (typeof input === 'string') return [input];
  if (!Array.isArray(input) || input.length === 0) {
    return refuse('input', 'is required: a text, a list of texts, or token ids');
  }
  if (isVector(input)) return [input];
  return input.map((entry) => {
    if (typeof entry === 'string' || isVector(entry)) return entry;
    return refuse('input', 'must be a text, a list of texts, or token ids');
  });
}

function textOrTokens(input: EmbeddingInput): JsonValue {
  if (typeof input === 'string') return input;
  if ('parts' in input) return refuse('content.parts', 'can hold nothing but text for this provider');
  return [...input];
}

const indexOf = ({ index }: JsonObject): number => (typeof index === 'number' ? index : 0);

function vectorOf(embedding: JsonValue | undefined): readonly number[] {
  if (isVector(embedding)) return embedding;
  if (typeof embedding !== 'string') throw malformed('embeddings');
  const bytes = new Uint8Array(Buffer.from(embedding, 'base64'));
  return [...new Float32Array(bytes.buffer, 0, bytes.length >> 2)];
}

const base64Of = (vector: readonly number[]): string => Buffer.from(new Float32Array(vector).buffer).toString('base64');
