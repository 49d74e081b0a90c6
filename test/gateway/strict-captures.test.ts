import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askAs, type Capture, capturesIn, said } from '../support/agent-captures.ts';
import { shared, sharedPath } from '../support/shared.ts';
import { type StrictGateway, type StrictName, startStrictGateway } from '../support/strict-gateway.ts';

/** Providers with a model, each of which must take every request of every client. */
const TARGETS: readonly (readonly [StrictName, string])[] = [
  ['anthropic', 'claude-opus-4-6'],
  ['anthropic', 'claude-sonnet-4-20250514'],
  ['openai', 'gpt-4o'],
  ['openai', 'gpt-5'],
  ['gemini', 'gemini-2.5-pro'],
  ['gemini', 'gemini-3-pro-preview'],
  ['groq', 'llama-3.3-70b-versatile'],
  ['deepseek', 'deepseek-reasoner'],
];

function takesEveryCapture(captures: readonly Capture[]): void {
  let strict: StrictGateway;
  beforeAll(async () => {
    strict = await startStrictGateway(() => ({ thinking: 'I look.', text: 'Here it is.' }));
  });
  afterAll(() => strict.close());

  for (const [provider, model] of TARGETS) {
    test.each(captures)(`${provider}/${model} takes $client $name`, async (capture) => {
      const upstream = strict.upstreams[provider];
      const before = upstream.accepted.length;
      const answer = await askAs(strict.gateway.url, capture, `${provider}/${model}`);
      const text = await answer.text();
      expect([answer.status, upstream.refused.splice(0), answer.ok ? '' : text]).toEqual([200, [], '']);
      expect(upstream.accepted.length).toBe(before + 1);
      expect(said(text)).toContain('Here it is.');
    });
  }
}

describe('strict servers take what coding agents send', () => {
  takesEveryCapture(capturesIn(resolve(import.meta.dirname, '../fixtures/clients')));
});

describe.runIf(shared)('strict servers take every captured request', () => {
  takesEveryCapture(shared ? capturesIn(sharedPath('captures')) : []);
});
