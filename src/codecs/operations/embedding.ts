import { NO_USAGE, type Usage } from '../../model/usage.ts';
import { Ledger } from '../ledger.ts';
import { novaEmbeddings, titanEmbeddings } from './embedding-amazon.ts';
import { bedrockCohereEmbeddings, cohereEmbeddings } from './embedding-cohere.ts';
import type { ClientEmbeddings, EmbeddingAsk, EmbeddingTold, ProviderEmbeddings } from './embedding-format.ts';
import { geminiBatchEmbeddings, geminiEmbeddings, vertexEmbeddings } from './embedding-gemini.ts';
import { huggingFaceEmbeddings } from './embedding-huggingface.ts';
import { openAiEmbeddings } from './embedding-openai.ts';
import { vertexPredictions } from './embedding-vertex.ts';
import { malformed, type Translation } from './translation.ts';

/** What clients speak, providers speak too. */
const BOTH_WAYS = [
  ['openai', openAiEmbeddings],
  ['gemini', geminiEmbeddings],
  ['gemini-batch', geminiBatchEmbeddings],
  ['vertex', vertexEmbeddings],
  ['vertex-predict', vertexPredictions],
  ['cohere', cohereEmbeddings],
] as const;

const CLIENTS: ReadonlyMap<string, ClientEmbeddings> = new Map<string, ClientEmbeddings>(BOTH_WAYS);

const PROVIDERS: ReadonlyMap<string, ProviderEmbeddings> = new Map<string, ProviderEmbeddings>([
  ...BOTH_WAYS,
  ['cohere-bedrock', bedrockCohereEmbeddings],
  ['titan', titanEmbeddings],
  ['nova', novaEmbeddings],
  ['huggingface', huggingFaceEmbeddings],
]);

/** Embeddings between two formats; undefined where one of them has none. */
export function embeddingTranslation(from: string, to: string): Translation | undefined {
  const [client, provider] = [CLIENTS.get(from), PROVIDERS.get(to)];
  if (!client || !provider) return undefined;
  return {
    request({ payload }, model, ledger) {
      const ask = client.decodeRequest(payload.fields, ledger);
      const [first, ...others] = portions(ask, provider.atOnce?.(model) ?? Number.POSITIVE_INFINITY);
      const bodyOf = (portion: EmbeddingAsk) => provider.encodeRequest(portion, model, ledger);
      return [bodyOf(first), ...others.map(bodyOf)];
    },
    answer(answer, request, others) {
      const told = joined([answer, ...others].map((each) => provider.decodeAnswer(each)));
      const count = client.decodeRequest(request.payload.fields, new Ledger()).inputs.length;
      // whoever reads them by their places would take one for another
      if (told.vectors.length !== count) throw malformed(`vector for each input: ${told.vectors.length} for ${count}`);
      return { body: client.encodeAnswer(told, request), usage: told.usage };
    },
  };
}

/** The same question for as many inputs as fit into one request, in their order. */
function portions(ask: EmbeddingAsk, atOnce: number): [EmbeddingAsk, ...EmbeddingAsk[]] {
  const { inputs } = ask;
  if (inputs.length <= atOnce) return [ask];
  const others: EmbeddingAsk[] = [];
  for (let at = atOnce; at < inputs.length; at += atOnce) {
    others.push({ ...ask, inputs: inputs.slice(at, at + atOnce) });
  }
  return [{ ...ask, inputs: inputs.slice(0, atOnce) }, ...others];
}

const joined = (told: readonly EmbeddingTold[]): EmbeddingTold => ({
  vectors: told.flatMap(({ vectors }) => vectors),
  usage: told.map(({ usage }) => usage).reduce(summed, undefined),
});

const summed = (a: Usage | undefined, b: Usage | undefined): Usage | undefined =>
  a && b ? { ...NO_USAGE, input: a.input + b.input, output: a.output + b.output } : (a ?? b);
