import { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { OperationFormat } from '../../model/operation.ts';
import {
  documentsOf,
  type RankedDocument,
  type RerankAsked,
  type RerankClient,
  type RerankProvider,
  resultsIn,
} from './rerank-format.ts';
import { googleRanking, googleRankingClient } from './rerank-google.ts';
import { dropOthers, refuse, requiredText, type Translation, textOrNothing } from './translation.ts';
import { usageFrom } from './usage.ts';

/** The unified form and Cohere's ask alike; they differ in what they answer. */
function askedIn(fields: JsonObject): RerankAsked {
  const { model: _model, fallbacks: _fallbacks, query: _query, documents, top_n, ...others } = fields;
  const { return_documents: _areReturned, ...more } = others;
  return {
    query: requiredText(fields, 'query'),
    documents: documentsOf(documents, 'documents', 'a list of texts or {text}').map(documentOf),
    topN: top_n,
    more,
  };
}

function documentOf(given: JsonValue): RankedDocument {
  const title = isObject(given) && isObject(given.meta) ? textOrNothing(given.meta.title) : undefined;
  return { text: textOf(given), ...(title !== undefined && { title }), given };
}

function textOf(document: JsonValue): string {
  if (typeof document === 'string') return document;
  if (!isObject(document)) return refuse('documents', 'must be texts or {text}');
  return typeof document.text === 'string' ? document.text : JSON.stringify(document);
}

/** Documents are put into the answer here where that is asked for: hardly any provider gives them back. */
const unifiedClient: RerankClient = {
  decodeRequest: askedIn,
  encodeAnswer: ({ id, results, meta }, { documents }, model, { return_documents: areReturned }) => ({
    id,
    results: results.map(({ index, score }) => ({
      index,
      relevance_score: score,
      ...(areReturned === true && { document: { text: documents[index]?.text ?? '' } }),
    })),
    model,
    meta,
  }),
};

const cohereClient: RerankClient = {
  decodeRequest: askedIn,
  encodeAnswer: ({ id, results, meta }) => ({
    id,
    results: results.map(({ index, score }) => ({ index, relevance_score: score })),
    meta: meta ?? { api_version: { version: '2' } },
  }),
};

const CLIENTS: Readonly<Partial<Record<OperationFormat, RerankClient>>> = {
  openai: unifiedClient,
  cohere: cohereClient,
  'vertex-rank': googleRankingClient,
};

const wordsOf = ({ query, documents, topN }: RerankAsked): JsonObject => ({
  query,
  documents: documents.map(({ text }) => text),
  top_n: topN,
});

/** Cohere API v2, rerank. */
const cohere: RerankProvider = {
  knows: new Set(['max_tokens_per_doc', 'priority']),
  encodeRequest: (asked, model) => ({
    model,
    ...wordsOf(asked),
    max_tokens_per_doc: asked.more.max_tokens_per_doc,
    priority: asked.more.priority,
  }),
  decodeAnswers: ([{ body }]) => ({
    id: body.id,
    results: resultsIn(body),
    meta: body.meta,
    usage: usageFrom(body.meta),
  }),
};

/**
 * Reranking models of Cohere and Amazon on Bedrock, whose path names the model; Cohere's are told which API is meant
 * (Bedrock user guide, Cohere Rerank and Amazon Rerank).
 */
const bedrock: RerankProvider = {
  knows: new Set(),
  encodeRequest: (asked, model) => ({ ...wordsOf(asked), ...(/cohere\./.test(model) && { api_version: 2 }) }),
  decodeAnswers: cohere.decodeAnswers,
};

/** The reranking of vLLM and others like it. */
const likeVllm: RerankProvider = {
  knows: new Set(),
  encodeRequest: (asked, model) => ({ model, ...wordsOf(asked) }),
  decodeAnswers: ([{ body }]) => ({ id: body.id, results: resultsIn(body), usage: usageFrom(body.usage) }),
};

const PROVIDERS: Readonly<Partial<Record<OperationFormat, RerankProvider>>> = {
  openai: likeVllm,
  cohere,
  'cohere-bedrock': bedrock,
  'vertex-rank': googleRanking,
};

export function rerankTranslation(from: OperationFormat, to: OperationFormat): Translation | undefined {
  const client = CLIENTS[from];
  const provider = PROVIDERS[to];
  return client && provider && translationBetween(client, provider);
}

const translationBetween = (client: RerankClient, provider: RerankProvider): Translation => ({
  request({ payload: { fields } }, model, ledger) {
    const asked = client.decodeRequest(fields);
    dropOthers(asked.more, provider.knows, ledger);
    return provider.encodeRequest(asked, model);
  },

  answer(answer, { model, payload: { fields } }, others) {
    const asked = client.decodeRequest(fields);
    const ranking = provider.decodeAnswers([answer, ...others], asked);
    const count = asked.documents.length;
    const stray = ranking.results.find(({ index }) => !(index >= 0 && index < count));
    if (stray) {
      throw new GatewayError(
        'bad-response',
        `the provider ranked document ${stray.index}, counted from 0, of ${count}`,
      );
    }
    return { body: client.encodeAnswer(ranking, asked, model, fields), usage: ranking.usage };
  },
});
