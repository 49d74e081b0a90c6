import type { AskedCompat } from '../model/compat.ts';

/** What is converted that a provider would take as it came, or refuse: Bifrost's `compat`. */
export interface CompatRules {
  /** Legacy completions become chats where the model only chats. */
  readonly convertsTexts: boolean;
  /** Chats become responses for models that are served nowhere else. */
  readonly convertsChats: boolean;
  /** The same, and chats that ask a model to reason beside tools where a chat may not. */
  readonly convertsReasoning: boolean;
  /** Responses become chats for DeepSeek's models on Azure, whose Responses API loses their reasoning. */
  readonly convertsAzureDeepSeek: boolean;
  /** What a model is known not to take is left out as well where nobody must, and every answer tells what was. */
  readonly dropsParams: boolean;
}

/** What holds where nothing is configured. */
export const USUAL_COMPAT: CompatRules = {
  convertsTexts: false,
  convertsChats: false,
  convertsReasoning: true,
  convertsAzureDeepSeek: false,
  dropsParams: false,
};

/** The rules for one request: a caller may ask for more than is configured, never for less (Bifrost, `x-bf-compat`). */
export function rulesFor(configured: CompatRules, asked: AskedCompat | undefined): CompatRules {
  if (asked === undefined) return configured;
  return {
    convertsTexts: configured.convertsTexts || asked.has('convert_text_to_chat'),
    convertsChats: configured.convertsChats || asked.has('convert_chat_to_responses'),
    convertsReasoning: configured.convertsReasoning || asked.has('force_reasoning_only_models_to_responses'),
    convertsAzureDeepSeek: configured.convertsAzureDeepSeek || asked.has('azure_deepseek'),
    dropsParams: configured.dropsParams || asked.has('should_drop_params'),
  };
}
