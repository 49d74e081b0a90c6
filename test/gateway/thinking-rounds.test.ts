import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { post, testServer } from '../support/gateway.ts';
import { scriptedStrict } from '../support/scripted-strict.ts';
import type { StrictName } from '../support/strict-gateway.ts';
import type { StrictAnswer } from '../support/strict-server.ts';
import { type ToolClient, toolClients } from '../support/tool-clients.ts';
import { toldTurns } from '../support/upstream-history.ts';

const strict = scriptedStrict({
  mcp: { client_configs: [testServer('ref', { tools_to_execute: ['echo'] })] },
});

const UPSTREAMS: Readonly<Record<string, StrictName>> = {
  'openai/gpt-4o': 'openai',
  'anthropic/claude-sonnet-4-5': 'anthropic',
  'gemini/gemini-3-pro': 'gemini',
  'responder/gpt-5': 'openai',
  'deepseek/deepseek-reasoner': 'deepseek',
};
const [CHAT, CLAUDE, GEMINI, RESPONSES, DEEPSEEK] = Object.keys(UPSTREAMS) as [string, string, string, string, string];

/** The models that a client names, one request after another; the last one for all that follow. */
const SESSIONS: readonly (readonly string[])[] = [
  ...Object.keys(UPSTREAMS).map((model) => [model]),
  [CLAUDE, GEMINI, RESPONSES],
  [GEMINI, CLAUDE, GEMINI],
  [RESPONSES, CLAUDE, RESPONSES],
  [CHAT, GEMINI, CLAUDE],
  [CLAUDE, CHAT, CLAUDE],
  [DEEPSEEK, CLAUDE, DEEPSEEK],
  [GEMINI, RESPONSES, CHAT],
];

const call = (name: string, value: string) => ({ name, input: { value } });
const STEPS: readonly StrictAnswer[] = [
  { thinking: 'Think one.', text: 'One.', calls: [call('ref-echo', 'a'), call('ref-echo', 'b')] },
  { thinking: 'Think two.', text: 'Two.', calls: [call('mine', 'c'), call('ref-echo', 'd')] },
  { thinking: 'Think three.', calls: [call('ref-echo', 'e')] },
  { thinking: 'Think four.', text: 'Four.', calls: [call('ref-echo', 'f'), call('mine', 'g')] },
  { thinking: 'Think five.', text: 'End.' },
];

/** Where each format keeps what its model left for itself in a turn. */
const STATE: Readonly<Record<string, RegExp>> = {
  'anthropic/claude-sonnet-4-5': /"signature":"[^"]/g,
  'gemini/gemini-3-pro': /"thoughtSignature":"(?!skip)/g,
  'responder/gpt-5': /"encrypted_content":"[^"]/g,
  'deepseek/deepseek-reasoner': /"reasoning_content":"[^"]/g,
};

async function walk(client: ToolClient, models: readonly string[], stream: boolean): Promise<string> {
  const history: JsonObject[] = [client.say('Begin.')];
  let model = '';
  for (let step = 0; step < 9; step++) {
    model = models[Math.min(step, models.length - 1)] ?? '';
    const body = client.body(history, { model, stream, tools: ['mine'], thinks: true });
    const response = await post(`${strict.url}${client.path(model, stream)}`, body);
    expect(response.status, response.status === 200 ? '' : await response.clone().text()).toBe(200);
    const kept = client.kept(await client.whole(response, stream));
    history.push(...kept);
    const calls = client.callsIn(kept);
    if (calls.length === 0) break;
    history.push(...client.results(calls.map((each) => ({ ...each, text: `done:${String(each.input.value)}` }))));
  }
  expect(client.textOf(history)).toMatch(/End\.$/);
  return model;
}

describe.each(toolClients)('a client of $format that wants thinking', (client) => {
  describe.each([false, true])('streamed: %s', (stream) => {
    test.each(SESSIONS.map((models) => [models.join(', '), models] as const))('on %s', async (_name, models) => {
      strict.script = [...STEPS];
      const last = await walk(client, models, stream);
      const problems = Object.entries(strict.upstreams).flatMap(([name, { refused }]) =>
        refused.map((one) => [name, one]),
      );
      expect(problems).toEqual([]);
      expect(strict.script).toEqual([]);
      const [told] = strict.upstreams[UPSTREAMS[last] ?? 'openai'].accepted.slice(-1);
      expect(
        told && toldTurns(told).map(({ calls, results, paired }) => [calls.join(), results.join(), paired]),
      ).toEqual([
        ['ref-echo(a),ref-echo(b)', 'a,b', true],
        ['mine(c),ref-echo(d)', 'done:c,d', true],
        ['ref-echo(e)', 'e', true],
        ['ref-echo(f),mine(g)', 'f,done:g', true],
      ]);
      const state = STATE[last];
      if (models.length > 1 || !state) return;
      expect(JSON.stringify(told?.body).match(state)).toHaveLength(4);
    });
  });
});
