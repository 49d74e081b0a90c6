import { z } from 'zod';
import { withoutEffect } from './without-effect.ts';

const price = z.number().min(0).optional();
const tokens = z.number().int().positive().optional();

/** What of a model is known better than the gateway knows it; the names are those of the original's price sheet. */
const modelOverride = z.looseObject({
  max_input_tokens: tokens.describe('The context window.'),
  max_output_tokens: tokens.describe('The most that one answer may have.'),
  supports_function_calling: z.boolean().optional().describe('Whether it takes tools.'),
  supports_vision: z.boolean().optional().describe('Whether it takes pictures.'),
  supports_response_schema: z.boolean().optional().describe('Whether it answers by a JSON Schema.'),
  supports_reasoning: z.boolean().optional().describe('Whether it can reason before it answers.'),
  supports_temperature: z.boolean().optional().describe('false = it refuses what steers sampling.'),
  reasoning_efforts: z
    .array(z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']))
    .optional()
    .describe('The efforts that it takes.'),
  thinking: z.enum(['budget', 'adaptive', 'both']).optional().describe('How a Claude model is asked to think.'),
  input_cost_per_token: price.describe('US dollars.'),
  output_cost_per_token: price.describe('US dollars.'),
  cache_read_input_token_cost: price.describe('US dollars for one token read from a cache.'),
  cache_creation_input_token_cost: price.describe('US dollars for one token written to a cache.'),
  cost_per_request: price.describe('US dollars, beside the tokens.'),
});

const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3_600;

/** An address that a sheet is read from. */
const sheetUrl = z
  .string()
  .regex(/^(https?|file):\/\//, { message: 'must begin with http://, https:// or file://' })
  .optional();

export const frameworkSection = z.looseObject({
  pricing: z
    .looseObject({
      pricing_url: sheetUrl.describe('A JSON sheet of models and prices; absent = only what the gateway knows itself.'),
      pricing_sync_interval: z.number().int().min(HOUR_SECONDS).default(DAY_SECONDS).describe('Seconds.'),
      live_models_sync_interval: withoutEffect(z.number().int().min(0).default(HOUR_SECONDS)),
      mcp_library_url: sheetUrl.describe('A JSON list of known MCP servers, for /api/mcp/library.'),
      mcp_library_sync_interval: z.number().int().min(HOUR_SECONDS).default(DAY_SECONDS).describe('Seconds.'),
    })
    .prefault({})
    .describe('Where prices and known MCP servers are read from, and how often.'),
  model_overrides: z
    .record(z.string(), modelOverride)
    .default({})
    .describe('By model name, provider/model, or the beginning of one and *. Wins over all that is known else.'),
});
