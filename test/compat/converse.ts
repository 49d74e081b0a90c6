import {
  type BedrockRuntimeClient,
  type ContentBlock,
  ConverseCommand,
  ConverseStreamCommand,
  type ConverseStreamOutput,
  type TokenUsage,
  type ToolUseBlock,
} from '@aws-sdk/client-bedrock-runtime';
import { type Answer, parsedInput } from './answers.ts';

const QUESTION = { messages: [{ role: 'user' as const, content: [{ text: 'hello' }] }] };

/** A Converse client, by AWS's own SDK. It has no helper that puts a stream together. */
export async function askConverse(client: BedrockRuntimeClient, model: string, stream: boolean): Promise<Answer> {
  const asked = { modelId: model, ...QUESTION };
  if (!stream) {
    const { output, stopReason, usage } = await client.send(new ConverseCommand(asked));
    return answerOf(output?.message?.content ?? [], stopReason, usage);
  }
  const events: ConverseStreamOutput[] = [];
  for await (const event of (await client.send(new ConverseStreamCommand(asked))).stream ?? []) events.push(event);
  const ended = events.find(({ messageStop }) => messageStop)?.messageStop;
  return answerOf(blocksOf(events), ended?.stopReason, events.find(({ metadata }) => metadata)?.metadata?.usage);
}

interface Block {
  toolUseId?: string | undefined;
  name?: string | undefined;
  text: string;
  input: string;
  thinking: string;
}

function blocksOf(events: readonly ConverseStreamOutput[]): ContentBlock[] {
  const blocks = new Map<number, Block>();
  const at = (index = 0): Block => {
    const block = blocks.get(index) ?? { text: '', input: '', thinking: '' };
    blocks.set(index, block);
    return block;
  };
  for (const { contentBlockStart: start, contentBlockDelta: delta } of events) {
    if (start) Object.assign(at(start.contentBlockIndex), start.start?.toolUse);
    if (!delta) continue;
    const block = at(delta.contentBlockIndex);
    block.text += delta.delta?.text ?? '';
    block.input += delta.delta?.toolUse?.input ?? '';
    block.thinking += delta.delta?.reasoningContent?.text ?? '';
  }
  return [...blocks.values()].map(({ toolUseId, name, text, input, thinking }): ContentBlock => {
    if (toolUseId !== undefined)
      return { toolUse: { toolUseId, name, input: parsedInput(input) as ToolUseBlock['input'] } };
    return thinking ? { reasoningContent: { reasoningText: { text: thinking } } } : { text };
  });
}

const answerOf = (
  blocks: readonly ContentBlock[],
  finish: string | undefined,
  usage: TokenUsage | undefined,
): Answer => ({
  text: blocks.map(({ text }) => text ?? '').join(''),
  refusal: '',
  reasoning: blocks.map(({ reasoningContent }) => reasoningContent?.reasoningText?.text ?? '').join(''),
  calls: blocks.flatMap(({ toolUse }) =>
    toolUse ? [{ id: toolUse.toolUseId ?? '', name: toolUse.name ?? '', arguments: toolUse.input ?? {} }] : [],
  ),
  finish: String(finish),
  usage: {
    // inputTokens leaves cached tokens out (Bedrock API, TokenUsage)
    input: (usage?.inputTokens ?? 0) + (usage?.cacheReadInputTokens ?? 0) + (usage?.cacheWriteInputTokens ?? 0),
    output: usage?.outputTokens ?? 0,
    cacheRead: usage?.cacheReadInputTokens ?? 0,
  },
});
