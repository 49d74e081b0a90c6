import { describe, expect, test } from 'vitest';
import { post } from '../support/gateway.ts';
import { serverFile } from '../support/mcp-clients.ts';
import { scriptedStrict } from '../support/scripted-strict.ts';
import type { StrictName } from '../support/strict-gateway.ts';
import { toolClients } from '../support/tool-clients.ts';

const server = (name: string, file: string) => ({
  name,
  connection_type: 'stdio',
  stdio_config: { command: process.execPath, args: [serverFile(file)] },
  tools_to_execute: ['*'],
  tools_to_auto_execute: ['*'],
});
const strict = scriptedStrict({
  mcp: { client_configs: [server('ref', 'stdio.mjs'), server('all', 'everything-like.mjs')] },
});

const TARGETS: readonly (readonly [model: string, upstream: StrictName])[] = [
  ['openai/gpt-4o', 'openai'],
  ['anthropic/claude-sonnet-4-5', 'anthropic'],
  ['gemini/gemini-3-pro', 'gemini'],
  ['responder/gpt-5', 'openai'],
  ['groq/llama-3.3-70b-versatile', 'groq'],
  ['deepseek/deepseek-chat', 'deepseek'],
];

/** What a tool gives, and words of it that every model must be told, wherever they stand. */
const KINDS: readonly (readonly [tool: string, input: Record<string, string | number>, told: RegExp])[] = [
  ['ref-echo', { value: '' }, /executed successfully/],
  ['ref-fail', {}, /it went wrong/],
  ['ref-structured', {}, /answer.*42/],
  ['ref-big', { length: 5_000_000 }, /Too large to be shown whole/],
  ['all-test_image_content', {}, /iVBORw0KGgo|image left out/],
  ['all-test_audio_content', {}, /UklGR|audio[^"]{0,40}left out|\[audio\/wav\]/],
  ['all-test_embedded_resource', {}, /An embedded resource/],
  ['all-test_multiple_content_types', {}, /Several types:/],
  ['all-test_error_handling', {}, /fails, as it should/],
  ['all-link', { uri: 'file:///tmp/x' }, /file:\/\/\/tmp\/x/],
];

describe.each(toolClients)('a client of $format', (client) => {
  describe.each(TARGETS)('%s', (model, upstream) => {
    test.each(KINDS)('%s: its result is told, beside another one', async (name, input, told) => {
      const stream = KINDS.findIndex(([each]) => each === name) % 2 === 0;
      strict.script = [
        {
          text: 'Go.',
          calls: [
            { name, input },
            { name: 'mine', input: { value: 'x' } },
            { name: 'ref-echo', input: { value: 'behind' } },
          ],
        },
        { text: 'End.' },
      ];
      const url = `${strict.url}${client.path(model, stream)}`;
      const history = [client.say('Begin.')];
      for (const _request of [1, 2]) {
        const response = await post(url, client.body(history, { model, stream, tools: ['mine'] }));
        expect(response.status, response.status === 200 ? '' : await response.clone().text()).toBe(200);
        const kept = client.kept(await client.whole(response, stream));
        const calls = client.callsIn(kept);
        history.push(...kept);
        if (calls.length > 0) history.push(...client.results(calls.map((call) => ({ ...call, text: 'done:x' }))));
      }
      const { accepted, refused } = strict.upstreams[upstream];
      expect(refused).toEqual([]);
      expect(client.textOf(history)).toMatch(/End\.$/);
      const last = JSON.stringify(accepted.at(-1)?.body);
      expect(last).toMatch(told);
      expect(last).toMatch(/behind.*behind/);
      expect(last).toContain('done:x');
    });
  });
});
