import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import {
  documentsOf,
  type RankedDocument,
  type RankedResult,
  type RerankClient,
  type RerankProvider,
} from './rerank-format.ts';
import { listOf, malformed, numberOrNothing, requiredText, type SentBodies, textOrNothing } from './translation.ts';

/** Records of one request at most (Discovery Engine, Ranking API); each is scored by itself, so more are several requests. */
const MOST_RECORDS = 200;

/** Google's Ranking API (Discovery Engine, `rankingConfigs.rank`): a record's id tells which document it was. */
export const googleRanking: RerankProvider = {
  // `ranking_config` stands in the path
  knows: new Set(['ranking_config', 'user_labels']),

  encodeRequest({ query, documents, topN, more }, model) {
    const records = documents.map(({ text, title }, index) => ({
      id: String(index),
      ...(title !== undefined && { title }),
      content: text,
    }));
    const bodyOf = (from: number): JsonObject => ({
      model: model.replace(/^google\//, ''),
      query,
      records: records.slice(from, from + MOST_RECORDS),
      topN,
      ignoreRecordDetailsInResponse: true,
      userLabels: more.user_labels,
    });
    const starts = records.map((_, index) => index).filter((index) => index % MOST_RECORDS === 0);
    const [first, ...others] = starts.map(bodyOf);
    const bodies: SentBodies = [first ?? bodyOf(0), ...others];
    return bodies;
  },

  decodeAnswers(answers, { documents, topN }) {
    const results = answers.flatMap(({ body }) => recordsIn(body, documents.length));
    if (answers.length === 1) return { results };
    const most = numberOrNothing(topN) ?? 0;
    const sorted = results.toSorted((a, b) => b.score - a.score);
    return { results: most > 0 ? sorted.slice(0, most) : sorted };
  },
};

function recordsIn(body: JsonObject, count: number): (RankedResult & { score: number })[] {
  // what holds nothing is left out of Google's JSON: a list without entries, and a score of 0
  return listOf(body.records ?? [])
    .filter(isObject)
    .map(({ id, score = 0 }) => {
      const index = Number(id);
      if (!(index >= 0 && index < count) || typeof score !== 'number') throw malformed(`document "${String(id)}"`);
      return { index, score };
    });
}

/** A client of that API. */
export const googleRankingClient: RerankClient = {
  decodeRequest(fields) {
    const { model: _model, fallbacks: _fallbacks, query: _query, records, topN, userLabels, ...others } = fields;
    const { ignoreRecordDetailsInResponse: _isShort, ...more } = others;
    return {
      query: requiredText(fields, 'query'),
      documents: documentsOf(records, 'records', 'a list of {id, content}').map(documentOf),
      topN,
      more: { ...more, ...(userLabels !== undefined && { user_labels: userLabels }) },
    };
  },

  encodeAnswer: ({ results }, { documents }, _model, { ignoreRecordDetailsInResponse: isShort }) => ({
    records: results.map(({ index, score }) => {
      const given = documents[index]?.given;
      const { id = String(index), title, content } = isObject(given) ? given : {};
      return { id, ...(isShort !== true && { title, content }), score };
    }),
  }),
};

function documentOf(record: JsonValue): RankedDocument {
  const { title, content } = isObject(record) ? record : {};
  // rerankers of other vendors know texts only
  const texts = [textOrNothing(title), textOrNothing(content)].filter((text) => text !== undefined);
  return { text: texts.join('\n'), given: record };
}
