import type { CodecId } from '../model/content.ts';
import { ownValue } from '../model/json.ts';

/** A path below `/<api>_passthrough`. */
export interface PassthroughRoute {
  readonly provider: string;
  readonly codec: CodecId;
  /** Below the provider's base URL, without the query. */
  readonly path: string;
  readonly label: string;
}

interface Api {
  readonly provider: string;
  readonly codec: CodecId;
}

const APIS: Readonly<Record<string, Api | undefined>> = {
  openai: { provider: 'openai', codec: 'openai-chat' },
  anthropic: { provider: 'anthropic', codec: 'anthropic-messages' },
  genai: { provider: 'gemini', codec: 'gemini' },
};

const PASSTHROUGH_PATH = /^\/([a-z]+)_passthrough(\/.+)$/;

export function passthroughRoute(path: string): PassthroughRoute | undefined {
  const [, name = '', rest = ''] = PASSTHROUGH_PATH.exec(path) ?? [];
  const api = ownValue(APIS, name);
  return api && { ...api, path: rest, label: `/${name}_passthrough` };
}

/** What manages an account and asks no model: never done with the gateway's own key for somebody else. */
const MANAGES =
  /^(?:\/v\d+\w*)?\/(?:files|upload|uploads|batches|messages\/batches|fine_tuning|fine-tunes|vector_stores|assistants|threads|containers|conversations|evals|organizations?|skills|cachedContents|fileSearchStores|corpora|tunedModels|models)(?:\/|$)/;

/** Whether a path may be passed through: only what asks a model. Google's verbs stand behind a model's name. */
export const isInference = (method: string, path: string): boolean =>
  method === 'POST' && (/:(?!batch(?!Embed))\w+$/.test(path) || !MANAGES.test(path));
