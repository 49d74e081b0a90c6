import { type GenerateContentResponse, GoogleGenAI } from '@google/genai';
import { describe, expect, test } from 'vitest';
import { gemini } from '../../../src/codecs/gemini/index.ts';
import { GatewayError } from '../../../src/model/errors.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import { foldAll } from '../../../src/model/response.ts';
import { cases } from '../../support/recordings.ts';
import { shared } from '../../support/shared.ts';
import { decodedStream, encodedStream, fixture } from './support.ts';

/** The real client, fed with an answer. */
const clientOf = (answer: () => Response): GoogleGenAI =>
  new GoogleGenAI({ apiKey: 'none', httpOptions: { fetch: async () => answer() } });

const QUESTION = { model: 'm', contents: 'x' };

/** What a program reads from the official SDK's chunks, texts joined. */
async function read(
  chunks: AsyncIterable<GenerateContentResponse> | readonly GenerateContentResponse[],
): Promise<object> {
  let [text, thinking, finish, blocked]: (string | undefined)[] = ['', '', undefined, undefined];
  let usage: object | undefined;
  let grounding: object | undefined;
  let last: GenerateContentResponse | undefined;
  const calls: unknown[] = [];
  const signatures: unknown[] = [];
  for await (const chunk of chunks) {
    const [candidate] = chunk.candidates ?? [];
    for (const part of candidate?.content?.parts ?? []) {
      if (part.thought) thinking += part.text ?? '';
      else text += part.text ?? '';
      if (part.functionCall) calls.push({ name: part.functionCall.name, args: part.functionCall.args ?? {} });
      if (part.thoughtSignature) signatures.push(part.thoughtSignature);
    }
    finish = candidate?.finishReason ?? finish;
    blocked = chunk.promptFeedback?.blockReason ?? blocked;
    usage = chunk.usageMetadata ?? usage;
    grounding = candidate?.groundingMetadata ?? grounding;
    last = chunk;
  }
  return {
    text,
    thinking,
    calls,
    signatures,
    finish,
    blocked,
    usage,
    grounding,
    model: last?.modelVersion,
    id: last?.responseId,
  };
}

async function readStream(sse: string): Promise<object> {
  const headers = { 'content-type': 'text/event-stream' };
  return read(await clientOf(() => new Response(sse, { headers })).models.generateContentStream(QUESTION));
}

const readWhole = async (body: JsonObject): Promise<object> =>
  read([await clientOf(() => Response.json(body)).models.generateContent(QUESTION)]);

const answered = cases({ endpoint: 'gemini.generate' }).filter(({ digest }) => !digest.error);
const streamed = answered.filter(({ stream, digest }) => stream && digest.toolCalls);
const whole = answered.filter(({ stream }) => !stream);

describe('the official SDK', () => {
  test('reads the same from what we write as from what came', async () => {
    const sse = fixture('thinking-and-calls.sse');
    expect(await readStream(encodedStream(decodedStream(sse)))).toEqual(await readStream(sse));
    const body = JSON.parse(fixture('answer.json'));
    expect(await readWhole(gemini.encodeResponse(gemini.decodeResponse(body)))).toEqual(await readWhole(body));
  });

  test('reads calls whole whose arguments were streamed', async () => {
    const response = foldAll(decodedStream(fixture('partial-args.sse')));
    const args = response.parts.map((part) => part.type === 'tool-call' && JSON.parse(part.input));
    expect(await readStream(encodedStream(decodedStream(fixture('partial-args.sse'))))).toMatchObject({
      calls: [
        { name: 'save', args: args[0] },
        { name: 'list', args: args[1] },
        { name: 'cut_off', args: args[2] },
      ],
      finish: 'STOP',
    });
  });

  test('throws our errors as its own, before the stream and in it', async () => {
    const { status, body } = gemini.encodeError(new GatewayError('rate-limit', 'slow down'));
    const refused = clientOf(() => Response.json(body, { status })).models.generateContent(QUESTION);
    await expect(refused).rejects.toMatchObject({
      name: 'ApiError',
      status: 429,
      message: expect.stringContaining('slow down'),
    });
    const cut = gemini.encodeStreamError(new GatewayError('network', 'the upstream went away'));
    const start = encodedStream(decodedStream(fixture('partial-args.sse')));
    await expect(readStream(start + cut)).rejects.toMatchObject({
      status: 502,
      message: expect.stringContaining('went away'),
    });
  });
});

describe.runIf(shared)('the official SDK on recorded answers', () => {
  test.each(streamed.map((recording) => [recording.id, recording.response.sse ?? ''] as const))(
    '%s',
    async (_id, sse) => {
      expect(await readStream(encodedStream(decodedStream(sse)))).toEqual(await readStream(sse));
    },
  );

  test.each(whole.map((recording) => [recording.id, recording.response.body ?? {}] as const))(
    '%s',
    async (_id, body) => {
      expect(await readWhole(gemini.encodeResponse(gemini.decodeResponse(body)))).toEqual(await readWhole(body));
    },
  );
});
