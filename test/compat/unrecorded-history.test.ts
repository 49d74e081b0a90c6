import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAmazonFrameReader } from '../../src/codecs/amazon-frames.ts';
import { codecs } from '../../src/codecs/index.ts';
import { createSseReader } from '../../src/codecs/sse.ts';
import type { CodecId } from '../../src/model/content.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { type ChatResponse, foldAll } from '../../src/model/response.ts';
import { post } from '../support/gateway.ts';
import { type StrictGateway, type StrictName, startStrictGateway } from '../support/strict-gateway.ts';
import { converseClient, type WalkingClient, walkingClients } from '../support/walking-clients.ts';
import type { Format } from './answers.ts';
import { historyIn } from './history.ts';
import { UNRECORDED } from './unrecorded/all.ts';
import type { Said, Unrecorded } from './unrecorded/unrecorded.ts';
import { wireOf } from './unrecorded/upstream.ts';

// What a client was given goes back as history with its next request, to providers of every format that refuse what the
// real ones refuse.

const RESULT = 'It is blue.';
const PICTURE = 'data:image/png;base64,iVBORw0KGgo=';

/** What a client of the Responses API brings for items that it runs itself. */
const OUTPUTS: Readonly<Record<string, (item: JsonObject) => JsonObject>> = {
  custom_tool_call: ({ call_id }) => ({ type: 'custom_tool_call_output', call_id, output: RESULT }),
  computer_call: ({ call_id }) => ({
    type: 'computer_call_output',
    call_id,
    output: { type: 'computer_screenshot', image_url: PICTURE },
  }),
  local_shell_call: ({ call_id }) => ({ type: 'local_shell_call_output', call_id, output: RESULT }),
  shell_call: ({ call_id }) => ({
    type: 'shell_call_output',
    call_id,
    output: [{ stdout: RESULT, stderr: '', outcome: { type: 'exit', exit_code: 0 } }],
  }),
  apply_patch_call: ({ call_id }) => ({
    type: 'apply_patch_call_output',
    call_id,
    status: 'completed',
    output: RESULT,
  }),
};

const formatOf: Readonly<Record<string, CodecId>> = {
  messages: 'anthropic-messages',
  chat: 'openai-chat',
  responses: 'openai-responses',
  gemini: 'gemini',
  converse: 'bedrock-converse',
};

const UPSTREAMS: readonly (readonly [StrictName, model: string, Format])[] = [
  ['anthropic', 'anthropic/claude-sonnet-4-5', 'anthropic-messages'],
  ['openai', 'openai/gpt-4.1', 'openai-chat'],
  ['openai', 'responder/gpt-5.1', 'openai-responses'],
  ['gemini', 'gemini/gemini-3-pro-preview', 'gemini'],
  ['groq', 'groq/openai/gpt-oss-120b', 'openai-chat'],
  ['deepseek', 'deepseek/deepseek-reasoner', 'openai-chat'],
];

/** What a provider's answer means. */
function read(one: Unrecorded, client: CodecId): ChatResponse {
  const codec = codecs[one.format];
  const context = { callId: 'c', foreign: client !== one.format };
  if (one.whole) return codec.decodeResponse(one.whole, context);
  const decoder = codec.decodeStream(context);
  const wire = one.format === 'bedrock-converse' ? framesOf(one) : [...createSseReader().push(wireOf(one))];
  return foldAll([...wire.flatMap((event) => [...decoder.push(event)]), ...decoder.end()]);
}

const framesOf = (one: Unrecorded) =>
  createAmazonFrameReader()
    .push(wireOf(one))
    .map(({ headers, payload }) => ({ event: headers[':event-type'] ?? '', data: payload.toString() }));

let strict: StrictGateway;
beforeAll(async () => {
  strict = await startStrictGateway(() => ({ text: 'fine' }));
});
afterAll(() => strict.close());

const answers = UNRECORDED.filter(({ says }) => !('fails' in says));

describe.each([...walkingClients, converseClient].map((client) => [client.name, client] as const))(
  'a %s client',
  (name, client) => {
    test.each(UPSTREAMS)(
      'brings what it was given to %s (%s)',
      async (upstream, model, format) => {
        const lines: string[] = [];
        for (const one of answers.filter(({ what }) => !isExcepted(name, what, upstream))) {
          const complaint = await nextTurn(client, formatOf[name] ?? 'openai-chat', one, { upstream, model, format });
          if (complaint) lines.push(`${one.format}: ${one.what}: ${complaint}`);
        }
        expect(lines).toEqual([]);
      },
      60_000,
    );
  },
);

/** What is refused for good reasons. */
const EXCEPTIONS: readonly (readonly [client: RegExp, what: RegExp, upstream: RegExp, why: string])[] = [
  [
    /messages/,
    /nobody knows, at odd places|texts that are empty/,
    /anthropic/,
    'what Claude wrote goes back as it was',
  ],
  [/./, /the first one signed/, /gemini/, 'the mock knows a signature that it did not give'],
  [/gemini/, /told as a part/, /gemini/, 'the mock has not heard of parts of the newest kind'],
  [/responses/, /what a shell gave/, /openai/, 'an output of a call that the history does not hold'],
  [/responses/, /custom tool/, /openai/, 'OpenAI’s reference gives such calls no status in requests'],
  [/responses/, /thinking in words/, /openai/, 'models that tell their thinking are not OpenAI’s'],
  [/chat/, /custom tool|of old/, /openai/, 'as they came: calls of kinds that the reader of histories does not know'],
  [/chat/, /sound in pieces/, /openai|groq|deepseek/, 'what was spoken goes back by its id'],
  [/responses/, /made short/, /./, 'only who made it can read a compacted history, which the error says'],
];
const isExcepted = (client: string, what: string, upstream: string): boolean =>
  EXCEPTIONS.some(([a, b, c]) => a.test(client) && b.test(what) && c.test(upstream));

interface To {
  readonly upstream: StrictName;
  readonly model: string;
  readonly format: Format;
}

/** Undefined when the provider took the next request, and found in it what was said and called. */
async function nextTurn(client: WalkingClient, own: CodecId, one: Unrecorded, to: To): Promise<string | undefined> {
  const given = codecs[own].encodeResponse(read(one, own), { model: 'm', createdAtMs: 1, asked: { body: {} } });
  const kept = client.kept(JSON.parse(JSON.stringify(given)) as JsonObject).filter(isContent);
  const ran = kept.flatMap((item): JsonObject[] => [OUTPUTS[String(item.type)]?.(item)].filter((one) => !!one));
  const history = [client.say('hello'), ...kept, ...client.results(kept), ...ran, client.say('go on')];
  const accepted = strict.upstreams[to.upstream].accepted;
  accepted.length = 0;
  const answer = await post(
    `${strict.gateway.url}${client.path(to.model, false)}`,
    client.body(history, to.model, false),
  );
  const text = await answer.text();
  if (!answer.ok) return `${answer.status} ${text.slice(0, 300)}`;
  const [asked] = accepted.slice(-1);
  if (!asked) return 'nobody was asked';
  return missing(asked.path.endsWith('/responses') ? 'openai-responses' : to.format, asked.body, one.says as Said);
}

/** Google's SDK leaves contents without parts out of a history. */
const isContent = (item: JsonObject): boolean =>
  Object.keys(item).length > 0 && !(Array.isArray(item.parts) && item.parts.length === 0);

const bare = (text: string): string => text.replace(/\s/g, '');

function missing(format: Format, body: JsonObject, { text = '', refusal = '', calls = [] }: Said): string | undefined {
  const held = historyIn(format, body);
  // some providers want one text of a message, its parts on lines of their own
  if (!bare(held.text).includes(bare(text + refusal))) return `text ${JSON.stringify(held.text)}`;
  for (const [called, input] of calls) {
    const found = held.calls.some(
      ({ name, arguments: args }) => name.includes(called) && isDeepStrictEqual(args, input),
    );
    if (!found) return `call ${called} in ${JSON.stringify(held.calls)}`;
  }
  return undefined;
}
