import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, test } from 'vitest';
import { anthropicMessages } from '../../../src/codecs/anthropic-messages/index.ts';
import { GatewayError } from '../../../src/model/errors.ts';
import { isObject } from '../../../src/model/json.ts';
import { foldAll } from '../../../src/model/response.ts';
import { cases } from '../../support/recordings.ts';
import { shared } from '../../support/shared.ts';
import { decodedStream, encodedStream } from './support.ts';

/** The real client, fed with an answer. */
function clientOf(answer: () => Response): Anthropic {
  return new Anthropic({ apiKey: 'none', maxRetries: 0, fetch: async () => answer() });
}

const PARAMS = { model: 'm', max_tokens: 10, messages: [{ role: 'user' as const, content: 'x' }] };

/** The message that the official SDK puts together, as plain JSON. */
async function accumulated(sse: string): Promise<unknown> {
  const headers = { 'content-type': 'text/event-stream' };
  const message = await clientOf(() => new Response(sse, { headers }))
    .messages.stream(PARAMS)
    .finalMessage();
  return JSON.parse(JSON.stringify(message));
}

/** The SDK reads no deltas of mcp_tool_use and leaves its input empty; from us it gets the input whole. */
const withoutMcpInputs = (message: unknown): unknown =>
  JSON.parse(JSON.stringify(message), (_key, value) =>
    isObject(value) && value.type === 'mcp_tool_use' ? { ...value, input: {} } : value,
  );

const sameForTheSdk = async (sse: string): Promise<void> => {
  const original = await accumulated(sse);
  const { model } = foldAll(decodedStream(sse));
  const ours = await accumulated(encodedStream(decodedStream(sse), model));
  expect(withoutMcpInputs(ours)).toEqual(withoutMcpInputs(original));
};

const fixture = (name: string): string =>
  readFileSync(resolve(import.meta.dirname, '../../fixtures/anthropic-messages', name), 'utf8');

const streamed = cases({ endpoint: 'anthropic.messages' }).filter(({ stream, digest }) => stream && !digest.error);

describe('the official SDK', () => {
  test('puts the same message together from what we write as from what came', async () => {
    await sameForTheSdk(fixture('thinking-and-parallel-tools.sse'));
  });

  test('reads a translated whole answer', async () => {
    const body = JSON.parse(fixture('whole-message.json'));
    const answer = anthropicMessages.encodeResponse(anthropicMessages.decodeResponse(body));
    const message = await clientOf(() => Response.json(answer)).messages.create(PARAMS);
    expect(JSON.parse(JSON.stringify(message))).toEqual(body);
  });

  test('throws our errors as its own classes, before the stream and in it', async () => {
    const limited = new GatewayError('rate-limit', 'slow down', { retryAfterMs: 1_000 });
    const { status, body, headers } = anthropicMessages.encodeError(limited);
    const answer = () => Response.json(body, { status, ...(headers && { headers }) });
    await expect(clientOf(answer).messages.create(PARAMS)).rejects.toThrow(Anthropic.RateLimitError);
    const cut = new GatewayError('network', 'the upstream went away');
    const start = encodedStream([{ type: 'response-start', id: '1', model: 'm' }]);
    await expect(accumulated(start + anthropicMessages.encodeStreamError(cut))).rejects.toThrow(
      'the upstream went away',
    );
  });
});

describe.runIf(shared)('the official SDK on recorded streams', () => {
  test.each(streamed.map((recording) => [recording.id, recording.response.sse ?? ''] as const))(
    '%s',
    async (_id, sse) => {
      await sameForTheSdk(sse);
    },
  );
});
