import type { CodecId } from '../model/content.ts';
import type { ChatRequest } from '../model/request.ts';
import type { ModelTraits } from '../model/traits.ts';
import type { CompatRules } from './compat.ts';
import { asksForSearch } from './hosted-tools.ts';
import type { Deployment } from './provider.ts';

/**
 * The format that a request leaves in: the client's own where it is spoken, so that nothing is translated twice. OpenAI's
 * models that reason are asked in the Responses API by every other client, since only there their reasoning is kept.
 */
export function wireFormat(
  { name, speaks, wire }: Deployment,
  dialect: CodecId,
  request: ChatRequest,
  model: string,
  traits: ModelTraits,
  compat: CompatRules,
): CodecId {
  const { responsesApi: need } = traits;
  if (compat.convertsAzureDeepSeek && name === 'azure' && isDeepSeek(model) && speaks.includes('openai-chat')) {
    return 'openai-chat';
  }
  if (speaks.includes(dialect)) {
    const mustChange = need !== undefined && dialect === 'openai-chat' && refusesChat(request, traits, compat);
    return mustChange && speaks.includes('openai-responses') ? 'openai-responses' : dialect;
  }
  if (!speaks.includes('openai-responses')) return speaks[0];
  // OpenAI's newer models search the web there only
  const searches = wire.webSearch === 'tool' && asksForSearch(request);
  return searches || need !== undefined ? 'openai-responses' : speaks[0];
}

const isDeepSeek = (model: string): boolean => /deepseek/i.test(model);

function refusesChat(request: ChatRequest, traits: ModelTraits, compat: CompatRules): boolean {
  if (traits.responsesApi === 'only') return compat.convertsChats || compat.convertsReasoning;
  if (traits.responsesApi !== 'for-tools' || !compat.convertsReasoning || !offersTools(request)) return false;
  const { effort = traits.defaultEffort } = request.settings.reasoning ?? {};
  return effort !== undefined && effort !== 'none';
}

/** Without a parse where the body is the client's own. */
const offersTools = (request: ChatRequest): boolean =>
  request.untouched && request.raw ? request.raw.has('tools') : request.tools.length > 0;
