import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway-process.ts';
import { ClaudeHome, claudeBinary } from './claude.ts';

const KEY = 'sk-bf-e2e';
const CONFIG = {
  version: 2,
  providers: {},
  client: { mcp_server_auth_mode: 'both', enforce_auth_on_inference: true },
  governance: { virtual_keys: [{ id: 'vk-1', name: 'Team', value: KEY }] },
};

test('Claude Code finds out where to sign in, and comes in with a virtual key', async () => {
  const home = new ClaudeHome(await claudeBinary());
  const gateway = await startGateway(CONFIG);
  const url = `${gateway.url}/mcp`;
  await home.run(['mcp', 'add', '--transport', 'http', 'bare', url], gateway.url);
  const header = `Authorization: Bearer ${KEY}`;
  await home.run(['mcp', 'add', '--transport', 'http', 'keyed', url, '--header', header], gateway.url);
  const { stdout } = await home.run(['mcp', 'list'], gateway.url);
  expect(stdout).toMatch(/bare: .* Needs authentication/);
  expect(stdout).toMatch(/keyed: .* Connected/);
  await gateway.stop();
});
