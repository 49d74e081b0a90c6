/** The original's conversions, under the names that its `client.compat` and its header `x-bf-compat` have for them. */
export const COMPAT_FEATURES = [
  'convert_text_to_chat',
  'convert_chat_to_responses',
  'convert_responses_to_chat',
  'should_drop_params',
  'should_convert_params',
  'azure_deepseek',
  'force_reasoning_only_models_to_responses',
] as const;

export type CompatFeature = (typeof COMPAT_FEATURES)[number];

/** What a caller asks for beside what is configured. */
export type AskedCompat = ReadonlySet<CompatFeature>;
