import type { CodecId } from '../model/content.ts';

/** Members of wire objects that the model of requests holds: `true` whole, else some of their own members. */
export interface Words {
  readonly [member: string]: true | Words;
}

export interface FormatWords {
  /** Where parts stand in a body of this format. */
  readonly at: string;
  /** Of content blocks, calls and results. */
  readonly part: Words;
  /** Of function tools. */
  readonly tool: Words;
  /** Of top-level fields that settings keep. */
  readonly settings: Words;
}

/** What `decodeRequest` of each format understands. Everything else that a client sends is for its own format only. */
export const WORDS: Readonly<Record<CodecId, FormatWords>> = {
  'anthropic-messages': {
    at: 'messages.*.content.*',
    part: {
      type: true,
      text: true,
      thinking: true,
      data: true,
      source: true,
      title: true,
      id: true,
      name: true,
      input: true,
      tool_use_id: true,
      tool_name: true,
      content: true,
      is_error: true,
    },
    tool: { type: true, name: true, description: true, input_schema: true, strict: true },
    settings: {
      thinking: { type: true, budget_tokens: true },
      output_config: { effort: true, format: { type: true, schema: true } },
      output_format: { type: true, schema: true },
      metadata: { user_id: true },
    },
  },
  'bedrock-converse': {
    at: 'messages.*.content.*',
    part: {
      text: true,
      json: true,
      image: { format: true, source: true },
      document: { format: true, name: true, source: true },
      video: { format: true, source: true },
      audio: { format: true, source: true },
      toolUse: { toolUseId: true, name: true, input: true },
      toolResult: { toolUseId: true, content: true, status: true },
      reasoningContent: { reasoningText: true, redactedContent: true },
      guardContent: { text: { text: true } },
      citationsContent: { content: true },
      searchResult: { source: true, title: true, content: true },
    },
    tool: { toolSpec: { name: true, description: true, inputSchema: true, strict: true } },
    settings: {
      additionalModelRequestFields: {
        thinking: { type: true, budget_tokens: true },
        reasoning_config: { type: true, budget_tokens: true },
        reasoningConfig: { type: true, maxReasoningEffort: true },
        reasoning_effort: true,
        output_config: { effort: true },
        top_k: true,
        inferenceConfig: { topK: true },
      },
      outputConfig: { textFormat: { type: true, structure: { jsonSchema: { name: true, schema: true } } } },
    },
  },
  gemini: {
    at: 'contents.*.parts.*',
    part: {
      text: true,
      thought: true,
      inlineData: { mimeType: true, data: true, displayName: true },
      fileData: { mimeType: true, fileUri: true, displayName: true },
      functionCall: { id: true, name: true, args: true },
      functionResponse: { id: true, name: true, response: true, parts: true },
    },
    tool: { name: true, description: true, parameters: true, parametersJsonSchema: true },
    settings: {
      stream: true,
      toolConfig: { functionCallingConfig: { mode: true, allowedFunctionNames: true } },
      generationConfig: {
        thinkingConfig: { thinkingBudget: true, thinkingLevel: true },
        responseMimeType: true,
        responseSchema: true,
        responseJsonSchema: true,
        _responseJsonSchema: true,
      },
    },
  },
  'openai-chat': {
    at: 'messages.*.content.*',
    part: {
      type: true,
      role: true,
      content: true,
      text: true,
      refusal: true,
      thinking: true,
      reasoning: true,
      reasoning_content: true,
      image_url: { url: true },
      input_audio: { data: true, format: true },
      audio: { transcript: true },
      file: { file_data: true, file_id: true, filename: true },
      id: true,
      index: true,
      tool_call_id: true,
      function: { name: true, arguments: true },
      function_call: { name: true, arguments: true },
      custom: { name: true, input: true },
    },
    tool: {
      type: true,
      function: { name: true, description: true, parameters: true, strict: true },
      // the older `functions` are definitions by themselves
      name: true,
      description: true,
      parameters: true,
      strict: true,
      // its grammar is told by the function itself
      custom: { name: true, description: true, format: true },
    },
    settings: {
      user: true,
      top_k: true,
      reasoning: { effort: true, max_tokens: true, enabled: true },
      reasoning_effort: true,
      reasoning_max_tokens: true,
      response_format: { type: true, json_schema: { schema: true } },
    },
  },
  'openai-responses': {
    at: 'input.*.content.*',
    part: {
      type: true,
      role: true,
      text: true,
      refusal: true,
      instructions: true,
      message: { role: true },
      image_url: true,
      file_id: true,
      file_data: true,
      file_url: true,
      filename: true,
      input_audio: { data: true, format: true },
      call_id: true,
      name: true,
      namespace: true,
      arguments: true,
      input: true,
      output: true,
      action: true,
      actions: true,
      operation: true,
      summary: true,
      content: true,
      result: true,
      output_format: true,
    },
    // a namespace's tools and a custom tool's grammar are told by the function itself
    tool: { type: true, name: true, description: true, parameters: true, strict: true, tools: true, format: true },
    settings: {
      user: true,
      reasoning: { effort: true, max_tokens: true },
      text: { format: { type: true, schema: true } },
    },
  },
};
