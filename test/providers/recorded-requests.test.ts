import { describe, expect, test } from 'vitest';
import { openAiCompatible } from '../../src/providers/openai-compatible.ts';
import { cases } from '../support/recordings.ts';
import { shared } from '../support/shared.ts';

describe.runIf(shared)('what a provider has accepted is not changed for it', () => {
  for (const deployment of openAiCompatible) {
    const accepted = cases({ endpoint: 'openai.chat', providerPrefix: deployment.name }).filter(
      ({ provider, status, request }) => provider === deployment.name && status === 200 && request.body,
    );
    if (accepted.length === 0) continue;
    test(`${deployment.name}: ${accepted.length} recorded requests`, () => {
      const changed = accepted.flatMap(({ id, request }) => {
        const body = request.body ?? {};
        const losses = deployment.adjust?.(body, String(body.model)).losses ?? [];
        return losses.map((loss) => `${id}: ${loss.action} ${loss.field}`);
      });
      expect(changed).toEqual([]);
    });
  }
});
