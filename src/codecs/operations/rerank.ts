import { isObject, type JsonObject, type JsonValue, ownValue } from '../../model/json.ts';
import { dropOthers, listOf, malformed, refuse, requiredText, type Translation } from './translation.ts';
import { usageFrom } from './usage.ts';

const KNOWN: ReadonlySet<string> = new Set([
  ...['model', 'fallbacks', 'query', 'documents', 'top_n', 'max_tokens_per_doc', 'priority', 'return_documents'],
]);

/**
 * Reranking between the unified form, which vLLM speaks too, and Cohere's. They differ little: Cohere takes documents
 * as texts and never gives them back, so they are put into the answer here where that was asked for.
 */
const unifiedToCohere: Translation = {
  request({ payload: { fields } }, model, ledger) {
    dropOthers(fields, KNOWN, ledger);
    const { max_tokens_per_doc, priority } = fields;
    return { model, ...asked(fields), max_tokens_per_doc, priority };
  },

  answer({ body }, { model, payload: { fields } }) {
    const documents = fields.return_documents === true ? documentsOf(fields) : undefined;
    const usage = usageFrom(body.meta);
    return {
      body: {
        id: body.id,
        results: resultsOf(body).map(({ index, relevance_score }) => ({
          index,
          relevance_score,
          ...(documents && typeof index === 'number' && { document: { text: textOf(documents[index] ?? '') } }),
        })),
        model,
        meta: body.meta,
      },
      usage,
    };
  },
};

const cohereToUnified: Translation = {
  request({ payload: { fields } }, model, ledger) {
    dropOthers(fields, KNOWN, ledger);
    return { model, ...asked(fields) };
  },

  answer: ({ body }) => ({
    body: {
      id: body.id,
      results: resultsOf(body).map(({ index, relevance_score }) => ({ index, relevance_score })),
      meta: { api_version: { version: '2' } },
    },
    usage: usageFrom(body.usage),
  }),
};

const KNOWN_TO_BEDROCK: ReadonlySet<string> = new Set([
  ...['model', 'fallbacks', 'query', 'documents', 'top_n', 'return_documents'],
]);

/**
 * Reranking models of Cohere and Amazon on Bedrock, whose path names the model; Cohere's are told which API is meant
 * (Bedrock user guide, Cohere Rerank and Amazon Rerank).
 */
const toBedrock: Translation['request'] = ({ payload: { fields } }, model, ledger) => {
  dropOthers(fields, KNOWN_TO_BEDROCK, ledger);
  return { ...asked(fields), ...(/cohere\./.test(model) && { api_version: 2 }) };
};

const TRANSLATIONS: Readonly<Record<string, Translation | undefined>> = {
  'openai cohere': unifiedToCohere,
  'openai cohere-bedrock': { ...unifiedToCohere, request: toBedrock },
  'cohere openai': cohereToUnified,
  'cohere cohere-bedrock': { ...cohereToUnified, request: toBedrock },
};

export const rerankTranslation = (from: string, to: string): Translation | undefined =>
  ownValue(TRANSLATIONS, `${from} ${to}`);

const asked = (fields: JsonObject): JsonObject => ({
  query: requiredText(fields, 'query'),
  documents: documentsOf(fields).map(textOf),
  top_n: fields.top_n,
});

function documentsOf(fields: JsonObject): readonly JsonValue[] {
  const documents = listOf(fields.documents);
  return documents.length > 0 ? documents : refuse('documents', 'is required: a list of texts or {text}');
}

function textOf(document: JsonValue): string {
  if (typeof document === 'string') return document;
  if (isObject(document) && typeof document.text === 'string') return document.text;
  return JSON.stringify(document);
}

function resultsOf(body: JsonObject): readonly JsonObject[] {
  if (!Array.isArray(body.results)) throw malformed('results');
  return body.results.filter(isObject);
}
