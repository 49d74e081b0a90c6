import { z } from 'zod';

/** Completions that a server asks for (`sampling/createMessage`) when the MCP client behind its call has none to give. */
export const clientSampling = z.looseObject({
  enabled: z
    .boolean()
    .default(false)
    .describe("Whether the gateway's own models answer, under the key of whoever called the tool."),
  model: z.string().optional().describe('provider/model that answers; required when enabled.'),
  max_tokens: z.number().int().positive().default(4_096).describe('At most this many tokens for one completion.'),
  max_depth: z.number().int().positive().default(5).describe('At most this many completions for one tool call.'),
});
