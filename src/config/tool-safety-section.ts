import { z } from 'zod';
import { duration, nanoseconds } from './durations.ts';

/** `hold`: the tool is neither listed nor callable until an admin releases it. `warn`: it is offered, and shown as what it is. */
const POLICIES = ['hold', 'warn', 'allow'] as const;
const TREATMENTS = ['strip', 'escape', 'keep'] as const;

const policy = z.enum(POLICIES);

const rules = {
  changed_tools: policy.describe('A tool whose definition is not the one that was first seen. hold | warn | allow'),
  new_tools: policy.describe('A tool that a client did not have when it was first seen. hold | warn | allow'),
  hidden_instructions: policy.describe(
    'A tool whose definition holds what no definition in good faith does (findings of high severity). hold | warn | allow',
  ),
  invisible_characters: z
    .enum(TREATMENTS)
    .describe('What becomes of invisible characters in the words that models are sent. strip | escape | keep'),
  scan_results: z
    .boolean()
    .describe('Whether invisible characters in the text of results are treated in the same way.'),
};

/** `mcp.tool_safety`. */
export const toolSafety = z.looseObject({
  changed_tools: rules.changed_tools.default('hold'),
  new_tools: rules.new_tools.default('warn'),
  hidden_instructions: rules.hidden_instructions.default('warn'),
  invisible_characters: rules.invisible_characters.default('strip'),
  scan_results: rules.scan_results.default(false),
});

/** `tool_safety` of one MCP client: what is absent is as in `mcp.tool_safety`. */
export const clientToolSafety = z.looseObject({
  changed_tools: rules.changed_tools.optional(),
  new_tools: rules.new_tools.optional(),
  hidden_instructions: rules.hidden_instructions.optional(),
  invisible_characters: rules.invisible_characters.optional(),
  scan_results: rules.scan_results.optional(),
});

const limits = {
  enabled: z.boolean().describe('Whether larger results become a preview and a handle.'),
  max_tokens: z.number().int().min(0).describe('Estimated, four bytes of text each; 0 = no such limit.'),
  max_bytes: z.number().int().min(0).describe('Of text; 0 = no such limit.'),
  max_media_bytes: z.number().int().min(0).describe('Of base64, over all media of one result; 0 = no such limit.'),
};

/** `mcp.result_limits`. */
export const resultLimits = z.looseObject({
  enabled: limits.enabled.default(true),
  // Claude Code takes 25,000 by a real count, and four bytes a token is a guess
  max_tokens: limits.max_tokens.default(20_000),
  max_bytes: limits.max_bytes.default(0),
  max_media_bytes: limits.max_media_bytes.default(7_000_000),
  preview_bytes: z.number().int().min(0).max(1_000_000).default(4_000).describe('How much of it the preview shows.'),
  keep_for: duration(nanoseconds).prefault('30m').describe('How long a result can be read after its last use.'),
  max_kept_bytes: z.number().int().positive().default(268_435_456).describe('Of all kept results.'),
  max_kept_bytes_per_caller: z.number().int().positive().default(67_108_864).describe('The oldest one goes first.'),
  reader_tools: z
    .enum(['on_demand', 'always', 'never'])
    .default('on_demand')
    .describe('When readResult and grepResult are offered: once there is something to read, always, or never.'),
});

const someLimits = {
  enabled: limits.enabled.optional(),
  max_tokens: limits.max_tokens.optional(),
  max_bytes: limits.max_bytes.optional(),
  max_media_bytes: limits.max_media_bytes.optional(),
};

/** `result_limits` of one MCP client, and of its tools: what is absent is as one level above. */
export const clientResultLimits = z.looseObject({
  ...someLimits,
  tools: z.record(z.string(), z.looseObject(someLimits)).default({}).describe('By name, without the prefix.'),
});

export type ToolSafetyConfig = z.output<typeof toolSafety>;
export type ResultLimitsConfig = z.output<typeof resultLimits>;
