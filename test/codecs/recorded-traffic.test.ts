import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { cases } from '../support/recordings.ts';
import { shared, sharedPath } from '../support/shared.ts';

// Most tests of codecs are one for each recording: where a list lost its members they would all pass, being none.
describe.runIf(shared)('recorded traffic is there in numbers', () => {
  test.each([
    ['anthropic.messages', 110],
    ['openai.chat', 200],
    ['openai.responses', 110],
    ['gemini.generate', 90],
  ])('of %s at least %d answers, some streamed and some refused', (endpoint, least) => {
    const found = cases({ endpoint });
    expect(found.length).toBeGreaterThanOrEqual(least);
    expect(found.filter(({ stream }) => stream).length).toBeGreaterThan(least / 10);
    expect(found.filter(({ stream }) => !stream).length).toBeGreaterThan(least / 10);
    expect(found.some(({ status }) => status !== 200)).toBe(true);
  });

  test.each([
    ['claude-code', 20],
    ['codex', 1],
    ['gemini-cli', 2],
  ])('of %s at least %d requests', (client, least) => {
    const found = readdirSync(sharedPath('captures', client)).filter((file) => file.startsWith('req-'));
    expect(found.length).toBeGreaterThanOrEqual(least);
  });
});
