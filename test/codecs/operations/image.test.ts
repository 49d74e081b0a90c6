import { describe, expect, test } from 'vitest';
import { readBody } from '../../../src/codecs/body.ts';
import { Ledger } from '../../../src/codecs/ledger.ts';
import { imageTranslation } from '../../../src/codecs/operations/image.ts';
import { JsonPayload } from '../../../src/codecs/operations/json-payload.ts';
import { SentFile } from '../../../src/codecs/operations/translation.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import type { OperationFormat, OperationRequest } from '../../../src/model/operation.ts';

function asked(format: OperationFormat, body: object): OperationRequest {
  const { source } = readBody('openai-chat', Buffer.from(JSON.stringify({ model: 'm', ...body })));
  const payload = new JsonPayload(source);
  return { kind: 'image_generation', format, model: 'm', stream: false, fallbacks: [], payload };
}

function translated(from: OperationFormat, to: OperationFormat, body: object) {
  const ledger = new Ledger();
  const sent = imageTranslation(from, to)?.request(asked(from, body), 'm', ledger);
  if (!sent || sent instanceof SentFile || Array.isArray(sent)) throw new Error('no JSON was sent');
  const told = ledger.losses.map(({ action, field }) => `${action} ${field}`);
  return { sent: sent as JsonObject, told: told.toSorted() };
}

const EVERYTHING = {
  prompt: 'a cat',
  n: 1,
  size: '1792x1024',
  quality: 'hd',
  response_format: 'url',
  user: 'u1',
  style: 'vivid',
  background: 'transparent',
};

describe('what a provider of pictures is not told stands in the ledger', () => {
  test.each<[OperationFormat, readonly string[]]>([
    ['gemini', ['dropped quality', 'dropped response_format', 'rewritten size']],
    ['imagen', ['dropped quality', 'dropped response_format', 'rewritten size']],
    ['huggingface', ['dropped quality', 'dropped response_format']],
    ['titan', ['dropped response_format', 'rewritten quality']],
    ['stability', ['dropped quality', 'dropped response_format', 'rewritten size']],
  ])('%s', (to, expected) => {
    const others = ['dropped background', 'dropped style', 'dropped user'];
    expect(translated('openai', to, EVERYTHING).told).toEqual([...others, ...expected].toSorted());
  });

  test('a client of Imagen', () => {
    const body = {
      instances: [{ prompt: 'a cat', image: { bytesBase64Encoded: 'aGk=' } }],
      parameters: { sampleCount: 2, aspectRatio: '3:4', negativePrompt: 'dogs', aspectratio: 1 },
    };
    expect(translated('imagen', 'openai', body)).toEqual({
      sent: { model: 'm', prompt: 'a cat', n: 2, size: '1024x1536' },
      told: [
        'dropped instances.image',
        'dropped parameters.aspectratio',
        'dropped parameters.negativePrompt',
        'rewritten parameters.aspectRatio',
      ],
    });
  });
});

test.each([
  ['auto', undefined, []],
  [undefined, undefined, []],
  ['large', undefined, ['dropped size']],
  ['1024x1024', '1:1', ['rewritten size']],
  ['1024x1536', '3:4', ['rewritten size']],
  ['1792x1024', '16:9', ['rewritten size']],
])('a size of %s is a ratio of %s', (size, ratio, told) => {
  const { sent, told: entries } = translated('openai', 'imagen', { prompt: 'x', ...(size && { size }) });
  expect(sent.parameters).toMatchObject({ aspectRatio: ratio });
  expect(entries).toEqual(told);
});
