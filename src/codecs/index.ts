import type { CodecId } from '../model/content.ts';
import { anthropicMessages } from './anthropic-messages/index.ts';
import { bedrockConverse } from './bedrock-converse/index.ts';
import type { Codec } from './codec.ts';
import { gemini } from './gemini/index.ts';
import { openaiChat } from './openai-chat/index.ts';
import { openaiResponses } from './openai-responses/index.ts';

/** Every wire format that the gateway speaks. */
export const codecs: Readonly<Record<CodecId, Codec>> = {
  'anthropic-messages': anthropicMessages,
  'bedrock-converse': bedrockConverse,
  gemini,
  'openai-chat': openaiChat,
  'openai-responses': openaiResponses,
};
