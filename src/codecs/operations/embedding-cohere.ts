import { isObject } from '../../model/json.ts';
import {
  type ClientEmbeddings,
  coherePurpose,
  isVector,
  type ProviderEmbeddings,
  textsOf,
} from './embedding-format.ts';
import { dropOthers, listOf, malformed, numberOrNothing, refuse, textOrNothing } from './translation.ts';
import { inputUsage, usageFrom } from './usage.ts';

const KNOWN: ReadonlySet<string> = new Set([
  'model',
  'fallbacks',
  'texts',
  'input_type',
  'embedding_types',
  'output_dimension',
]);

/** Cohere API v2, embed. */
export const cohereEmbeddings: ClientEmbeddings & ProviderEmbeddings = {
  // Cohere API v2, embed: `texts`
  atOnce: () => 96,

  decodeRequest(fields, ledger) {
    dropOthers(fields, KNOWN, ledger);
    const types = listOf(fields.embedding_types);
    if (types.some((type) => type !== 'float'))
      refuse('embedding_types', 'can hold nothing but "float" for this provider');
    const inputs = listOf(fields.texts).filter((text) => typeof text === 'string');
    if (inputs.length === 0) refuse('texts', 'is required: a list of texts');
    return {
      inputs,
      dimensions: numberOrNothing(fields.output_dimension),
      purpose: textOrNothing(fields.input_type),
    };
  },

  encodeRequest({ inputs, dimensions, purpose, title }, model, ledger) {
    if (title !== undefined) ledger.dropped('title', 'the provider has no such field');
    const inputType = coherePurpose(purpose);
    // Cohere wants to be told; most vectors are made of documents
    if (inputType === undefined) ledger.invented('input_type', 'Cohere asks what the vectors are for');
    return {
      model,
      texts: textsOf(inputs),
      input_type: inputType ?? 'search_document',
      embedding_types: ['float'],
      output_dimension: dimensions,
    };
  },

  decodeAnswer({ body, inputTokens }) {
    const { embeddings, meta } = body;
    const vectors = isObject(embeddings) ? listOf(embeddings.float) : listOf(embeddings);
    if (!vectors.every(isVector) || vectors.length === 0) throw malformed('embeddings');
    return { vectors: vectors.filter(isVector), usage: usageFrom(meta) ?? inputUsage(inputTokens) };
  },

  encodeAnswer: ({ vectors, usage }, { payload }) => ({
    embeddings: { float: vectors.map((vector) => [...vector]) },
    texts: [...listOf(payload.fields.texts)],
    meta: { api_version: { version: '2' }, ...(usage && { billed_units: { input_tokens: usage.input } }) },
  }),
};

/** The same in Bedrock's envelope, whose path names the model (Bedrock user guide, Cohere Embed). */
export const bedrockCohereEmbeddings: ProviderEmbeddings = {
  ...cohereEmbeddings,
  encodeRequest(ask, model, ledger) {
    const { model: _inThePath, ...body } = cohereEmbeddings.encodeRequest(ask, model, ledger);
    return body;
  },
};
