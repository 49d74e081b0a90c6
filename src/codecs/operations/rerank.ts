import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
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
    const { top_n, max_tokens_per_doc, priority } = fields;
    return {
      model,
      query: requiredText(fields, 'query'),
      documents: documentsOf(fields).map(textOf),
      top_n,
      max_tokens_per_doc,
      priority,
    };
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
    const { top_n } = fields;
    return { model, query: requiredText(fields, 'query'), documents: documentsOf(fields).map(textOf), top_n };
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

export function rerankTranslation(from: string, to: string): Translation | undefined {
  if (from === 'openai' && to === 'cohere') return unifiedToCohere;
  return from === 'cohere' && to === 'openai' ? cohereToUnified : undefined;
}

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
