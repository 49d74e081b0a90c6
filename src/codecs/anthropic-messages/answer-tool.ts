import type { FinishReason } from '../../model/event.ts';
import type { JsonObject } from '../../model/json.ts';
import type { Loss } from '../../model/loss.ts';
import type { EncodeTarget } from '../codec.ts';
import { objectOf, objectsOf } from './wire.ts';

/** The original's prefix for such tools. */
const ANSWER_TOOL = 'bf_so_answer';

/**
 * Where a model or its host gives no structured output, the schema that was asked for becomes that of a tool which the
 * model is made to call: what it calls it with is the answer. `body` is ours to change.
 */
export function askByTool(
  body: JsonObject,
  { model, tools }: Pick<EncodeTarget, 'model' | 'tools'>,
  losses: Loss[],
): void {
  const { format, ...rest } = objectOf(body.output_config);
  if (Object.keys(rest).length > 0) body.output_config = rest;
  else delete body.output_config;
  const { schema } = objectOf(format);
  const input = objectOf(schema);
  if (tools === false || input.type !== 'object') {
    losses.push({ field: 'output_config.format', action: 'dropped', reason: `${model} gives no structured output` });
    return;
  }
  const others = objectsOf(body.tools);
  body.tools = [...others, { name: ANSWER_TOOL, description: DESCRIPTION, input_schema: input }];
  body.tool_choice = choiceBeside(others, objectOf(body.tool_choice));
  const reason = `${model} gives structured output as what it calls a tool with`;
  losses.push(
    { field: 'output_config.format', action: 'rewritten', reason },
    { field: `tools.${others.length}`, action: 'invented', reason },
    { field: 'tool_choice', action: 'invented', reason },
  );
}

const DESCRIPTION = 'Give your final answer by calling this tool, in the form of its input.';

/** The answer must come, but a tool that is needed for it may be called first. */
function choiceBeside(others: readonly JsonObject[], { type, name, ...rest }: JsonObject): JsonObject {
  if (type === 'tool') return { type, name, ...rest };
  if (others.length === 0 || type === 'none') return { type: 'tool', name: ANSWER_TOOL };
  return { ...rest, type: 'any' };
}

export const asksByTool = (body: JsonObject): boolean => objectsOf(body.tools).some(({ name }) => name === ANSWER_TOOL);

/** Whether a block is the answer of a request that was asked by a tool. */
export const isAnswer = (block: JsonObject): boolean => block.type === 'tool_use' && block.name === ANSWER_TOOL;

/** The block as what it means: a text that holds JSON. */
export const answerBlock = ({ input }: JsonObject): JsonObject => ({
  type: 'text',
  text: typeof input === 'string' ? input : JSON.stringify(input ?? {}),
});

/** A call of the answer's tool is no call for the client. */
export const reasonBehindAnswer = (reason: FinishReason): FinishReason =>
  reason.kind === 'tool-calls' ? { kind: 'stop' } : reason;
