import { isObject, ownValue } from '../../model/json.ts';
import { isVector, onlyInput, type ProviderEmbeddings, textsOf } from './embedding-format.ts';
import { listOf, malformed } from './translation.ts';
import { inputUsage } from './usage.ts';

/** Bedrock user guide, Amazon Titan Text Embeddings: one text, one vector. */
export const titanEmbeddings: ProviderEmbeddings = {
  atOnce: () => 1,

  encodeRequest({ inputs, dimensions, purpose, title }, model, ledger) {
    if (purpose !== undefined) ledger.dropped('taskType', 'the provider has no such field');
    if (title !== undefined) ledger.dropped('title', 'the provider has no such field');
    const [inputText = ''] = textsOf([onlyInput(inputs)]);
    if (dimensions === undefined) return { inputText };
    if (/titan-embed-image/.test(model)) return { inputText, embeddingConfig: { outputEmbeddingLength: dimensions } };
    if (/titan-embed-text-v1|titan-embed-g1/.test(model)) {
      ledger.dropped('dimensions', 'the first Titan embeddings have one size only');
      return { inputText };
    }
    return { inputText, dimensions };
  },

  decodeAnswer({ body: { embedding, inputTextTokenCount: tokens } }) {
    if (!isVector(embedding)) throw malformed('embeddings');
    return { vectors: [embedding], usage: inputUsage(typeof tokens === 'number' ? tokens : undefined) };
  },
};

const NOVA_PURPOSES: Readonly<Record<string, string>> = {
  search_query: 'TEXT_RETRIEVAL',
  RETRIEVAL_QUERY: 'TEXT_RETRIEVAL',
  classification: 'CLASSIFICATION',
  CLASSIFICATION: 'CLASSIFICATION',
  clustering: 'CLUSTERING',
  CLUSTERING: 'CLUSTERING',
};

/** Amazon Nova user guide, multimodal embeddings. */
export const novaEmbeddings: ProviderEmbeddings = {
  atOnce: () => 1,

  encodeRequest({ inputs, dimensions, purpose = '', title }, _model, ledger) {
    if (title !== undefined) ledger.dropped('title', 'the provider has no such field');
    const [value] = textsOf([onlyInput(inputs)]);
    return {
      taskType: 'SINGLE_EMBEDDING',
      singleEmbeddingParams: {
        embeddingPurpose: ownValue(NOVA_PURPOSES, purpose) ?? 'GENERIC_INDEX',
        ...(dimensions !== undefined && { embeddingDimension: dimensions }),
        text: { truncationMode: 'END', value },
      },
    };
  },

  decodeAnswer({ body, inputTokens }) {
    const [first] = listOf(body.embeddings);
    if (!isObject(first) || !isVector(first.embedding)) throw malformed('embeddings');
    return { vectors: [first.embedding], usage: inputUsage(inputTokens) };
  },
};
