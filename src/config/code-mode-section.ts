import { z } from 'zod';
import { duration, nanoseconds } from './durations.ts';

const count = () => z.number().int().positive();

/** `mcp.tool_manager_config.code_mode_limits`: what a script of `executeToolCode` may use. */
export const codeModeLimits = z.looseObject({
  time_limit: duration(nanoseconds)
    .prefault('0s')
    .describe('From the start to the end, without the wait for leave; 0 = as tool_execution_timeout says.'),
  cpu_time_limit: duration(nanoseconds)
    .prefault('5s')
    .transform((ms) => (ms > 0 ? ms : 5_000))
    .describe('Of computing.'),
  memory_limit_mb: z.number().min(16).max(1_024).default(64).describe('Of the whole engine, which begins with 16.'),
  max_output_chars: count()
    .default(100_000)
    .describe('Printed, and again of the returned value; the rest is left out.'),
  max_code_chars: count().default(200_000).describe('Of one script.'),
  max_argument_chars: count().default(1_000_000).describe('Of one nested call, as JSON.'),
  max_result_chars: count().default(8_000_000).describe('Of one nested call, as JSON.'),
  max_calls: count().default(200).describe('Of tools, in one script.'),
  max_parallel_scripts: count().default(8).describe('More of them wait for each other.'),
});
