import { expect, test } from 'vitest';
import { Exchange } from '../../../src/mcp/server/exchange.ts';
import { McpServer } from '../../../src/mcp/server/server.ts';
import { LocalTools, textResult } from '../../support/tool-source.ts';

const exchange = () => new Exchange({ forwardHeaders: {} }, undefined, undefined, { calls: new Set() });
const LIST = { kind: 'request', id: 1, method: 'tools/list', params: {} } as const;

test('two thousand tools are listed on one page within 50 ms', async () => {
  const tools = new LocalTools();
  const properties = Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`field_${n}`, { type: 'string' }]));
  for (let n = 0; n < 2_000; n += 1) {
    tools.add(`client-tool_${n}`, () => textResult(''), { inputSchema: { type: 'object', properties } });
  }
  const server = new McpServer({ tools, version: '1' });
  const first = await server.answer(LIST, exchange());
  expect(JSON.parse(first ?? '').result.tools).toHaveLength(2_000);
  const times: number[] = [];
  for (let n = 0; n < 5; n += 1) {
    const started = performance.now();
    await server.answer(LIST, exchange());
    times.push(performance.now() - started);
  }
  // the best of five: what else this machine does is not the list's doing
  expect(Math.min(...times)).toBeLessThan(50);
});
