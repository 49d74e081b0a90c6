import { expect, test } from 'vitest';
import { mcpClient } from '../../src/config/schema.ts';
import { clientForm, storedSecret } from '../../src/stores/client-form.ts';

test('a config that is written and read again is the same, whatever unit its durations had', () => {
  const config = mcpClient.parse({
    name: 'light',
    connection_type: 'stdio',
    stdio_config: { command: 'node' },
    tool_execution_timeout: 90,
    tool_sync_interval: '2m',
    process_config: { lazy_start: false, idle_timeout: '1500ms', memory_limit_mb: 512, max_restarts: 5 },
  });
  const form = clientForm(config, storedSecret);
  expect(form).toMatchObject({ process_config: { idle_timeout: '1500ms', memory_limit_mb: 512 } });
  expect(mcpClient.parse(form)).toEqual(config);
});
