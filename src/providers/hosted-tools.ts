import type { EncodeTarget } from '../codecs/codec.ts';
import { requestWith } from '../codecs/server-turns.ts';
import {
  chatSearch,
  hostedToolDropped,
  messagesSearch,
  responsesSearch,
  type WebSearch,
  webSearchOf,
} from '../codecs/web-search.ts';
import type { CodecId } from '../model/content.ts';
import { isObject, type JsonObject } from '../model/json.ts';
import type { Loss } from '../model/loss.ts';
import type { ChatRequest, ProviderTool, Tool } from '../model/request.ts';

/** A request whose hosted tools are those of the target's own format. */
export interface HostedTools {
  readonly request: ChatRequest;
  /** What the body needs beside its tools. */
  readonly fields: (body: JsonObject) => JsonObject;
  readonly losses: readonly Loss[];
}

/** Whether a request asks for a hosted web search, in a format that is not `codec`. */
export const asksForSearch = (request: ChatRequest): boolean =>
  optionsIn(request) !== undefined || request.tools.some((tool) => tool.type === 'provider' && webSearchOf(tool));

/**
 * Hosted tools of one format in the words of another: web search, which most vendors have. The others are left out,
 * each with a line that says what to use instead. Undefined when the request has none of another format.
 */
export function hostedToolsFor(
  request: ChatRequest,
  codec: CodecId,
  { webSearch }: Pick<EncodeTarget, 'webSearch'>,
  hint: (() => string | undefined) | undefined,
): HostedTools | undefined {
  const options = codec === 'openai-chat' ? undefined : optionsIn(request);
  const isForeign = (tool: Tool): tool is ProviderTool => tool.type === 'provider' && tool.origin.codec !== codec;
  if (!options && !request.tools.some(isForeign)) return undefined;
  const given = options ? [...request.tools, optionsTool(options)] : request.tools;
  const written = writerFor(codec, webSearch, request);
  const losses: Loss[] = [];
  let fields: JsonObject = {};
  const tools = given.flatMap((tool, index): Tool[] => {
    if (!isForeign(tool)) return [tool];
    const field = tool.name === OPTIONS ? OPTIONS : `tools.${index}`;
    const search = webSearchOf(tool);
    const native = search && written(search);
    if (!native) {
      losses.push({ field, action: 'dropped', reason: hostedToolDropped(tool.name, hint?.()) });
      return [];
    }
    losses.push({ field, action: 'rewritten', reason: "web search in this provider's own words; options may differ" });
    fields = native.fields ?? fields;
    return native.block ? [{ type: 'provider', name: tool.name, origin: { codec, block: native.block } }] : [];
  });
  const { messages, settings } = request;
  return {
    request: requestWith(request, { messages, tools, settings: options ? withoutOptions(settings) : settings }),
    fields: (body) => withFields(body, fields),
    losses,
  };
}

interface Native {
  readonly block?: JsonObject;
  readonly fields?: JsonObject;
}

/** Without the sources of a search, a client of another format could be shown that there was one, and no result. */
const SOURCES = 'web_search_call.action.sources';

function writerFor(
  codec: CodecId,
  webSearch: EncodeTarget['webSearch'],
  { tools }: ChatRequest,
): (search: WebSearch) => Native | undefined {
  // Gemini before 3 refuses its search beside functions
  if (codec === 'gemini') {
    return () => (tools.some(({ type }) => type === 'function') ? undefined : { block: { googleSearch: {} } });
  }
  if (codec === 'openai-chat' && (webSearch === 'options' || webSearch === 'plugin')) {
    return (search) => ({ fields: chatSearch(search, webSearch) });
  }
  if (webSearch !== 'tool') return () => undefined;
  if (codec === 'openai-responses') {
    return (search) => ({ block: responsesSearch(search), fields: { include: [SOURCES] } });
  }
  return codec === 'anthropic-messages' ? (search) => ({ block: messagesSearch(search) }) : () => undefined;
}

/** Lists stand behind what a body has; everything else in place of it. */
function withFields(body: JsonObject, fields: JsonObject): JsonObject {
  const merged = { ...body, ...fields };
  for (const [name, value] of Object.entries(fields)) {
    const known = body[name];
    if (Array.isArray(known) && Array.isArray(value)) merged[name] = [...known, ...value];
  }
  return merged;
}

const OPTIONS = 'web_search_options';

/** Chat Completions asks for a search by a field of its own. */
const optionsIn = ({ settings: { origin } }: ChatRequest): JsonObject | undefined => {
  const options = origin?.codec === 'openai-chat' ? origin.block[OPTIONS] : undefined;
  return isObject(options) ? options : undefined;
};

const optionsTool = (options: JsonObject): ProviderTool => ({
  type: 'provider',
  name: OPTIONS,
  origin: { codec: 'openai-chat', block: { ...options, type: OPTIONS } },
});

function withoutOptions(settings: ChatRequest['settings']): ChatRequest['settings'] {
  if (!settings.origin) return settings;
  const { [OPTIONS]: _asked, ...block } = settings.origin.block;
  return { ...settings, origin: { codec: settings.origin.codec, block } };
}
