import { ownValue } from '../../model/json.ts';
import type { Deployment, OperationTable } from '../provider.ts';
import {
  allOpenAiOperations,
  cohereOperations,
  elevenLabsOperations,
  geminiOperations,
  huggingFaceOperations,
  openAiOperations,
  replicateOperations,
} from './wires.ts';

/**
 * What each provider can do beside chats. Its API reference says so; a server that runs whatever model it is given
 * (vLLM, Ollama, SGLang) answers for itself.
 */
const OFFERS: Readonly<Record<string, OperationTable>> = {
  openai: allOpenAiOperations,
  azure: allOpenAiOperations,
  groq: openAiOperations('speech', 'transcription', 'translation'),
  mistral: openAiOperations('embedding', 'transcription'),
  ollama: openAiOperations('text_completion', 'embedding'),
  openrouter: openAiOperations('text_completion', 'embedding'),
  xai: openAiOperations('image_generation'),
  cerebras: openAiOperations('text_completion'),
  fireworks: openAiOperations('text_completion', 'embedding'),
  nebius: openAiOperations('text_completion', 'embedding', 'image_generation'),
  together: openAiOperations('text_completion', 'embedding', 'image_generation', 'rerank'),
  wafer: openAiOperations('text_completion'),
  vllm: openAiOperations('text_completion', 'embedding', 'transcription', 'translation', 'rerank'),
  sgl: openAiOperations('text_completion', 'embedding', 'rerank'),
  gemini: geminiOperations,
  huggingface: huggingFaceOperations,
  cohere: cohereOperations,
  elevenlabs: elevenLabsOperations,
  replicate: replicateOperations,
};

/** A server of one's own that speaks like OpenAI may have all of it, and the reranking of vLLM and others. */
export const ownServerOperations: OperationTable = { ...allOpenAiOperations, ...openAiOperations('rerank') };

/** The deployment with what it offers beside chats. */
export function withOperations(deployment: Deployment): Deployment {
  const operations = ownValue(OFFERS, deployment.name);
  return operations && !deployment.operations ? { ...deployment, operations } : deployment;
}
