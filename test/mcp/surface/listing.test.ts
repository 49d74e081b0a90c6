import { expect, test } from 'vitest';
import type { CatalogTool } from '../../../src/mcp/contract.ts';
import { Exchange } from '../../../src/mcp/server/exchange.ts';
import { McpServer } from '../../../src/mcp/server/server.ts';
import { LocalTools, textResult } from '../../support/tool-source.ts';

const exchange = () => new Exchange({ forwardHeaders: {} }, undefined, undefined, { calls: new Set() });
const LIST = { kind: 'request', id: 1, method: 'tools/list', params: {} } as const;

test('two thousand tools are listed on one page, each written once however often it is listed', async () => {
  const tools = new LocalTools();
  const properties = Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`field_${n}`, { type: 'string' }]));
  const add = (n: number) =>
    tools.add(`client-tool_${n}`, () => textResult(''), { inputSchema: { type: 'object', properties } });
  for (let n = 0; n < 2_000; n += 1) add(n);
  let written = 0;
  const expose = ({ name }: CatalogTool): string => {
    written += 1;
    return name;
  };
  const server = new McpServer({ tools, version: '1', expose });
  const listed = async () => JSON.parse((await server.answer(LIST, exchange())) ?? '').result.tools.length;
  expect([await listed(), written]).toEqual([2_000, 2_000]);
  expect([await listed(), written]).toEqual([2_000, 2_000]);
  add(2_000);
  expect([await listed(), written]).toEqual([2_001, 2_001]);
});
