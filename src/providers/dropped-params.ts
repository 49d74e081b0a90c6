import { Ledger } from '../codecs/ledger.ts';
import type { CodecId } from '../model/content.ts';
import { isObject, type JsonObject } from '../model/json.ts';
import type { Loss } from '../model/loss.ts';
import type { ModelTraits } from '../model/traits.ts';

/** The members in which each format offers tools. */
const OF_TOOLS: Readonly<Record<CodecId, readonly string[]>> = {
  'anthropic-messages': ['tools', 'tool_choice'],
  'bedrock-converse': ['toolConfig'],
  gemini: ['tools', 'toolConfig'],
  'openai-chat': ['tools', 'tool_choice', 'parallel_tool_calls', 'functions', 'function_call'],
  'openai-responses': ['tools', 'tool_choice', 'parallel_tool_calls', 'max_tool_calls'],
};

/** Whether a model is known to lack what requests may ask of it beside what is always judged. */
export const takesLess = ({ tools, structuredOutput }: ModelTraits): boolean =>
  tools === false || structuredOutput === false;

/**
 * A body without the tools and the bound form of answers that its model does not take (Bifrost, `should_drop_params`).
 * The same body where it asks for neither.
 */
export function withoutRefused(
  body: JsonObject,
  format: CodecId,
  { tools, structuredOutput }: ModelTraits,
  model: string,
): { readonly body: JsonObject; readonly losses: readonly Loss[] } {
  const ledger = new Ledger();
  const kept = { ...body };
  if (tools === false) {
    for (const field of OF_TOOLS[format]) {
      if (kept[field] === undefined) continue;
      delete kept[field];
      ledger.dropped(field, `${model} takes no tools`);
    }
  }
  if (structuredOutput === false) dropSchema(kept, model, ledger);
  return { body: ledger.losses.length > 0 ? kept : body, losses: ledger.losses };
}

/** OpenAI's two words for an answer that is bound to a schema; Claude is asked by a tool in its place. */
function dropSchema(body: JsonObject, model: string, ledger: Ledger): void {
  const { response_format: format, text } = body;
  const reason = `${model} cannot bind its answer to a schema`;
  if (isSchema(format)) {
    delete body.response_format;
    ledger.dropped('response_format', reason);
  }
  if (isObject(text) && isSchema(text.format)) {
    const { format: _schema, ...rest } = text;
    body.text = rest;
    ledger.dropped('text.format', reason);
  }
}

const isSchema = (format: JsonObject[string]): boolean => isObject(format) && format.type === 'json_schema';
