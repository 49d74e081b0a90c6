import { cohereEmbeddings } from './embedding-cohere.ts';
import type { EmbeddingFormat } from './embedding-format.ts';
import { geminiBatchEmbeddings, geminiEmbeddings } from './embedding-gemini.ts';
import { openAiEmbeddings } from './embedding-openai.ts';
import type { Translation } from './translation.ts';

type EmbeddingFormatName = 'openai' | 'gemini' | 'gemini-batch' | 'cohere';

const FORMATS: Readonly<Record<EmbeddingFormatName, EmbeddingFormat>> = {
  openai: openAiEmbeddings,
  gemini: geminiEmbeddings,
  'gemini-batch': geminiBatchEmbeddings,
  cohere: cohereEmbeddings,
};

const isKnown = (format: string): format is EmbeddingFormatName => Object.hasOwn(FORMATS, format);

/** Embeddings between two formats; undefined where one of them has none. */
export function embeddingTranslation(from: string, to: string): Translation | undefined {
  if (!isKnown(from) || !isKnown(to)) return undefined;
  const [client, provider] = [FORMATS[from], FORMATS[to]];
  return {
    request: ({ payload }, model, ledger) =>
      provider.encodeRequest(client.decodeRequest(payload.fields, ledger), model, ledger),
    answer: ({ body }, request) => {
      const told = provider.decodeAnswer(body);
      return { body: client.encodeAnswer(told, request), usage: told.usage };
    },
  };
}
