import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Codec } from '../../src/codecs/codec.ts';
import { codecs } from '../../src/codecs/index.ts';
import { GatewayError } from '../../src/model/errors.ts';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { foldAll } from '../../src/model/response.ts';
import { cases, type Recording } from '../support/recordings.ts';
import { shared, sharedPath } from '../support/shared.ts';
import { streamReadByAws, wholeReadByAws, writtenByAws } from './bedrock-converse/aws.ts';
import { fixture } from './openai-chat/fixtures.ts';
import { eventsIn, expectedOf, missingIn } from './pairing.ts';
import { requestOf } from './requests.ts';

const converse = codecs['bedrock-converse'];
const NOVA = { model: 'us.amazon.nova-pro-v1:0', stream: true };
const CLAUDE = { model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0', stream: true, reasoning: true };

const ENDPOINTS = {
  'anthropic-messages': 'anthropic.messages',
  gemini: 'gemini.generate',
  'openai-chat': 'openai.chat',
  'openai-responses': 'openai.responses',
} as const;
type Other = keyof typeof ENDPOINTS;
const OTHERS = Object.keys(ENDPOINTS) as Other[];
const recorded = OTHERS.map((id): [Other, Codec, Recording[]] => [id, codecs[id], cases({ endpoint: ENDPOINTS[id] })]);
const isAnswer = ({ id, digest }: Recording): boolean => !digest.error && !id.startsWith('err-');

/** Rules that AWS's types do not tell. */
function problemsIn(body: JsonObject): string[] {
  const messages = Array.isArray(body.messages) ? body.messages.filter(isObject) : [];
  const problems: string[] = [];
  messages.forEach(({ role, content }, index) => {
    const blocks = Array.isArray(content) ? content.filter(isObject) : [];
    if (role === messages[index - 1]?.role) problems.push(`two ${String(role)} messages in a row`);
    if (blocks.length === 0) problems.push('an empty message');
    if (blocks.some(({ text }) => typeof text === 'string' && text.trim() === '')) problems.push('an empty text');
    const open = blocks.flatMap(({ toolUse }) => (isObject(toolUse) ? [toolUse.toolUseId] : []));
    const next = Array.isArray(messages[index + 1]?.content) ? (messages[index + 1]?.content as JsonObject[]) : [];
    const answered = next.flatMap(({ toolResult }) => (isObject(toolResult) ? [toolResult.toolUseId] : []));
    if (open.length > 0 && JSON.stringify(open) !== JSON.stringify(answered))
      problems.push('calls without their results');
    if (open.length > 0 && !body.toolConfig) problems.push('calls without a tool config');
  });
  if (messages[0]?.role !== 'user') problems.push('begins without the user');
  return problems;
}

const captured = (path: string): JsonObject => JSON.parse(readFileSync(sharedPath(path), 'utf8')).body;
const captures = (folder: string): [string, JsonObject][] =>
  shared
    ? readdirSync(sharedPath(folder)).flatMap((file): [string, JsonObject][] =>
        file.startsWith('req-') ? [[file, captured(`${folder}/${file}`)]] : [],
      )
    : [];

test('a turn of a coding agent becomes a body that AWS writes the same', async () => {
  const { body } = converse.encodeRequest(
    requestOf(codecs['anthropic-messages'], JSON.parse(fixture('claude-code-turn.json'))),
    CLAUDE,
  );
  expect(problemsIn(body)).toEqual([]);
  expect(await writtenByAws(body)).toEqual(body);
});

describe.runIf(shared)('Claude Code on a Converse model', () => {
  test.each(captures('captures/claude-code'))('%s becomes a body that AWS writes the same', async (_file, given) => {
    const request = requestOf(codecs['anthropic-messages'], given);
    for (const target of [NOVA, CLAUDE]) {
      const { body, losses } = converse.encodeRequest(request, target);
      expect(problemsIn(body)).toEqual([]);
      expect(await writtenByAws(body)).toEqual(body);
      expect(missingIn(body, request)).toEqual([]);
      expect(losses.every(({ reason }) => reason !== '')).toBe(true);
      expect(JSON.stringify(converse.encodeRequest(request, target).body)).toBe(JSON.stringify(body));
    }
  });
});

describe.runIf(shared)('every recorded request', () => {
  test.each(recorded)(
    'of %s becomes a body that AWS writes the same',
    async (_id, codec, recordings) => {
      let asked = 0;
      for (const { id, request, status } of recordings) {
        if (!request.body || status !== 200) continue;
        const body = encodedOrRefused(codec, request.body);
        if (!body) continue;
        asked += 1;
        expect(problemsIn(body), id).toEqual([]);
        expect(await writtenByAws(body), id).toEqual(body);
      }
      expect(asked).toBeGreaterThan(30);
    },
    60_000,
  );
});

/** Undefined where the request holds what Bedrock cannot read, such as an image at a web address. */
function encodedOrRefused(codec: Codec, given: JsonObject): JsonObject | undefined {
  try {
    return converse.encodeRequest(requestOf(codec, { model: 'm', ...given }), NOVA).body;
  } catch (thrown) {
    if (thrown instanceof GatewayError && thrown.message.startsWith('Bedrock reads no')) return undefined;
    throw thrown;
  }
}

describe.runIf(shared)('every recorded answer', () => {
  test.each(recorded)(
    'of %s is read by the AWS SDK, streamed and whole',
    async (_id, codec, recordings) => {
      for (const recording of recordings.filter(isAnswer)) {
        const events = eventsIn(codec, recording);
        const response = foldAll(events);
        const expected = expectedOf(response);
        const streamed = await streamReadByAws(events);
        const whole = await wholeReadByAws(converse.encodeResponse(response, { model: 'm' }));
        for (const read of [streamed, whole]) {
          expect(read.text, recording.id).toBe(expected.text);
          expect(
            read.calls.map(({ name, arguments: input }) => [name, input]),
            recording.id,
          ).toEqual(expected.calls.map(({ name, arguments: input }) => [name, input]));
          expect(read.outputTokens, recording.id).toBe(response.usage.output);
          expect(read.finish === 'tool_use', recording.id).toBe(expected.calls.length > 0 && !CUT.has(read.finish));
        }
      }
    },
    120_000,
  );
});

/** Endings that say more than that there are calls. */
const CUT: ReadonlySet<string> = new Set([
  'max_tokens',
  'stop_sequence',
  'content_filtered',
  'model_context_window_exceeded',
]);

test.each(OTHERS)('what only Converse understands is left out of %s under its own name', (id) => {
  const messages = [{ role: 'user', content: [{ text: 'a' }, { cachePoint: { type: 'default' } }] }];
  const { losses } = codecs[id].encodeRequest(requestOf(converse, { model: 'm', messages }), {
    model: 'm',
    stream: false,
  });
  expect(losses.map(({ reason }) => reason)).toContain('"cachePoint" exists only in bedrock-converse');
});
