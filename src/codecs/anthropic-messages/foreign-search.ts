import type { Part } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';
import { objectOf, objectsOf, sse, textOf } from './wire.ts';

/** Ids of the blocks that show a web search of another vendor, by which they are known when they come back. */
const PREFIX = 'srvtoolu_bfws_';

/** A hosted web search of the Responses API as this format shows one: the call, and its result; else undefined. */
export function foreignSearch(part: Part): readonly [call: JsonObject, result: JsonObject] | undefined {
  if (part.type !== 'opaque' || part.origin.codec !== 'openai-responses') return undefined;
  const { block } = part.origin;
  const { type, query, queries, sources } = objectOf(block.action);
  if (block.type !== 'web_search_call' || type !== 'search') return undefined;
  const id = `${PREFIX}${textOf(block.id).replace(/[^A-Za-z0-9]/g, '_')}`;
  const asked = textOf(query) || (Array.isArray(queries) ? queries.map(textOf).join(', ') : '');
  const found = objectsOf(sources).map((source) => ({
    type: 'web_search_result',
    url: textOf(source.url),
    title: textOf(source.title) || textOf(source.url),
    // only Anthropic can write this one
    encrypted_content: '',
    page_age: null,
  }));
  return [
    { type: 'server_tool_use', id, name: 'web_search', input: { query: asked } },
    { type: 'web_search_tool_result', tool_use_id: id, content: found },
  ];
}

/** The blocks of such a search in a stream; `output` is the place of the first. */
export function foreignSearchEvents([call, result]: readonly [JsonObject, JsonObject], output: number): string {
  const stop = (index: number) => sse({ type: 'content_block_stop', index });
  return (
    sse({ type: 'content_block_start', index: output, content_block: { ...call, input: {} } }) +
    sse({
      type: 'content_block_delta',
      index: output,
      delta: { type: 'input_json_delta', partial_json: JSON.stringify(call.input) },
    }) +
    stop(output) +
    sse({ type: 'content_block_start', index: output + 1, content_block: result }) +
    stop(output + 1)
  );
}

/** The blocks of an assistant message without those searches: their results mean nothing to Anthropic. */
export function withoutForeignSearches(blocks: readonly JsonObject[]): readonly JsonObject[] {
  if (!blocks.some(isForeignSearch)) return blocks;
  const kept = blocks.filter((block) => !isForeignSearch(block));
  return kept.length > 0 ? kept : [{ type: 'text', text: '(searched the web)' }];
}

const isForeignSearch = (block: JsonObject): boolean =>
  textOf(block.type === 'server_tool_use' ? block.id : block.tool_use_id).startsWith(PREFIX);
