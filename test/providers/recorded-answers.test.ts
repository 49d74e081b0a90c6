import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CodecId } from '../../src/model/content.ts';
import { GatewayError } from '../../src/model/errors.ts';
import type { ChatResponse } from '../../src/model/response.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { builtInDeployments } from '../../src/providers/registry.ts';
import { cases, type Recording } from '../support/recordings.ts';
import { shared } from '../support/shared.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { contextOf, framesFor, heard, openScene, providerAt, requestOf, type Scene } from './scene.ts';

// Every provider of the family that was recorded, under its own name where it has one and as a custom provider else.

const names = new Set(builtInDeployments.map(({ name }) => name));

let scene: Scene;
let upstream: Upstream;

beforeAll(async () => {
  scene = openScene();
  upstream = await startUpstream();
});

afterAll(async () => {
  await scene.close();
  await upstream.close();
});

function providerOf({ provider: name, endpoint }: Recording, dialect: CodecId): Provider {
  const isResponses = endpoint === 'openai.responses';
  if (name === 'azure' && (!isResponses || dialect === 'openai-responses')) {
    const azure_key_config = { endpoint: upstream.url };
    return providerAt(name, '', { base_url: undefined }, { keys: [{ name: 'k', value: 'sk', azure_key_config }] });
  }
  if (names.has(name) && !isResponses) return providerAt(name, upstream.url);
  const allowed_requests = isResponses ? { responses: true } : { chat_completion: true };
  const custom_provider_config = { base_provider_type: 'openai', allowed_requests };
  return providerAt(`my-${name}`, upstream.url, {}, { custom_provider_config });
}

const HELLO = [{ role: 'user', content: 'Hi' }];
const BODY: Readonly<Partial<Record<CodecId, object>>> = {
  'openai-chat': { messages: HELLO },
  'openai-responses': { input: 'Hi' },
  'anthropic-messages': { messages: HELLO, max_tokens: 9 },
};

async function replayed(recording: Recording, dialect: CodecId) {
  const { status, headers, sse, body, text } = recording.response;
  upstream.answers((response) => {
    response.writeHead(status, {
      'content-type': sse === undefined ? 'application/json' : 'text/event-stream',
      ...headers,
    });
    response.end(sse ?? text ?? JSON.stringify(body));
  });
  const request = requestOf(dialect, { model: 'p/m', stream: sse !== undefined, ...BODY[dialect] });
  return heard(framesFor(scene, { provider: providerOf(recording, dialect), request, context: contextOf(dialect) }));
}

const textIn = ({ parts }: ChatResponse): string =>
  parts
    .map((part) => (part.type === 'text' ? part.text : ''))
    .join('')
    .trim();

const callsIn = ({ parts }: ChatResponse) =>
  parts.flatMap((part) =>
    part.type === 'tool-call' && part.owner === undefined
      ? [{ name: part.name, arguments: JSON.parse(part.input || '{}') }]
      : [],
  );

const wanted = ({ digest }: Recording) => ({
  text: (digest.text ?? '').trim(),
  calls: (digest.toolCalls ?? []).map(({ name, arguments: given }) => ({ name, arguments: given })),
});

const recordings = [...cases({ endpoint: 'openai.chat' }), ...cases({ endpoint: 'openai.responses' })].filter(
  ({ id, provider }) => provider !== 'openai' && !id.startsWith('err-'),
);

describe.runIf(shared)('what a provider of the family answered reaches clients of other formats', () => {
  for (const provider of new Set(recordings.map((recording) => recording.provider))) {
    const own = recordings.filter((recording) => recording.provider === provider);
    test(`${provider}: ${own.length} recorded answers`, async () => {
      for (const recording of own) {
        const { response, error } = await replayed(recording, 'anthropic-messages');
        const { digest, id } = recording;
        if (digest.error) {
          expect(error, id).toBeInstanceOf(GatewayError);
          if (digest.error.status) expect((error as GatewayError).details.status, id).toBe(digest.error.status);
          continue;
        }
        expect(error, id).toBeUndefined();
        expect({ text: textIn(response), calls: callsIn(response) }, id).toEqual(wanted(recording));
        if (digest.thinking)
          expect(
            response.parts.some(({ type }) => type === 'reasoning'),
            id,
          ).toBe(true);
      }
    });
  }

  test('and clients of its own format byte for byte', async () => {
    for (const recording of recordings) {
      const { status, sse } = recording.response;
      if (sse === undefined || status !== 200 || recording.digest.error) continue;
      const dialect = recording.endpoint === 'openai.responses' ? 'openai-responses' : 'openai-chat';
      const { bytes } = await replayed(recording, dialect);
      expect(bytes, recording.id).toBe(sse);
    }
  });
});
