import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Codec } from '../../src/codecs/codec.ts';
import { codecs } from '../../src/codecs/index.ts';
import type { StreamEvent } from '../../src/model/event.ts';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import type { Loss } from '../../src/model/loss.ts';
import type { ChatRequest } from '../../src/model/request.ts';
import { foldAll } from '../../src/model/response.ts';
import { cases, type Recording } from '../support/recordings.ts';
import { shared, sharedPath } from '../support/shared.ts';
import { problemsIn as problemsInChat } from './chat-body.ts';
import {
  decodedStream,
  encodedStream,
  fixture,
  foreignRequest,
  requestOf as geminiRequest,
  objects,
} from './gemini/support.ts';
import { problemsIn } from './gemini-body.ts';
import { fixture as chatFixture } from './openai-chat/fixtures.ts';
import { eventsIn, expectedOf, missingIn, readByAnthropic, readByOpenai } from './pairing.ts';
import { requestOf } from './requests.ts';

const { gemini } = codecs;
const chat = codecs['openai-chat'];
const messages = codecs['anthropic-messages'];
const TARGET = { model: 'gemini-3-pro-preview', stream: true, maxOutputTokens: 65_536, reasoning: true };

const OTHERS = ['anthropic-messages', 'openai-chat', 'openai-responses'] as const;
const ENDPOINTS = {
  'anthropic-messages': 'anthropic.messages',
  'openai-chat': 'openai.chat',
  'openai-responses': 'openai.responses',
};
const recorded = OTHERS.flatMap((id) =>
  cases({ endpoint: ENDPOINTS[id] }).map((recording): [string, Codec, Recording] => [
    recording.id,
    codecs[id],
    recording,
  ]),
);
const own = cases({ endpoint: 'gemini.generate' });
const isAnswer = ({ id, digest }: Recording): boolean => !digest.error && !id.startsWith('err-');
const hasRequest = ({ request, status }: Recording): boolean => request.body !== null && status === 200;
const named = (list: readonly Recording[]): [string, Recording][] => list.map((recording) => [recording.id, recording]);

const droppedIn = (losses: readonly Loss[]): number => losses.filter(({ action }) => action === 'dropped').length;
const captured = (path: string): JsonObject => JSON.parse(readFileSync(sharedPath(path), 'utf8')).body;
const capturesIn = (folder: string): string[] =>
  shared
    ? readdirSync(sharedPath(folder)).flatMap((file) => (file.startsWith('req-') ? [`${folder}/${file}`] : []))
    : [];

describe('a turn of a coding agent', () => {
  const turn: JsonObject = JSON.parse(chatFixture('claude-code-turn.json'));
  const { body, losses } = gemini.encodeRequest(requestOf(messages, turn), TARGET);

  test('written in Messages is asked of Gemini', () => {
    expect(problemsIn(body)).toEqual([]);
    expect(body).toMatchObject({
      systemInstruction: {
        parts: [{ text: 'You are a coding agent.' }, { text: 'Work with care.' }, { text: 'Deferred tools: WebFetch' }],
      },
      contents: [
        { role: 'user', parts: [{ text: '<reminder>' }, { text: 'Look at shot.png' }] },
        {
          role: 'model',
          parts: [{ text: 'I look.' }, { functionCall: { id: 'toolu_1' } }, { functionCall: { id: 'toolu_2' } }],
        },
        {
          role: 'user',
          parts: [
            { functionResponse: { id: 'toolu_1', parts: [{ inlineData: {} }] } },
            { functionResponse: { id: 'toolu_2', response: { output: 'Tool WebFetch is now available.' } } },
          ],
        },
        { role: 'user', parts: [{ text: 'Go on.' }] },
      ],
      tools: [{ functionDeclarations: [{ name: 'Read' }, { name: 'WebFetch' }] }],
      generationConfig: { maxOutputTokens: 32_000, thinkingConfig: { includeThoughts: true, thinkingLevel: 'high' } },
    });
  });

  test('F1 leaves nothing out that the ledger does not name', () => {
    expect(losses.map(({ action, field }) => `${action} ${field}`)).toEqual([
      'dropped messages.*.content.*.cache_control',
      'dropped messages.*.content.*.signature',
      'dropped tools.1.defer_loading',
      'dropped thinking.display',
      'dropped context_management',
      'dropped tools.2',
      'dropped contents.0.parts.0',
      'rewritten contents.2.role',
      'dropped contents.3.parts.0',
      'rewritten contents.4.parts.1.parts.0',
      'dropped user',
      'invented generationConfig.thinkingConfig.includeThoughts',
      'rewritten generationConfig.thinkingConfig',
    ]);
  });

  test('answered by Gemini is read in Messages and in Chat Completions, and comes back signed', async () => {
    const events = decodedStream(fixture('thinking-and-calls.sse'));
    const expected = expectedOf(foldAll(events));
    expect(await readByAnthropic(events)).toEqual({ ...expected, finish: 'tool_use' });
    expect(await readByOpenai(events)).toEqual({ ...expected, finish: 'tool_calls' });
    expect(signaturesThrough(messages, events)).toEqual(['c2lnbmF0dXJlLW9uZQ==', undefined]);
    expect(signaturesThrough(chat, events)).toEqual(['c2lnbmF0dXJlLW9uZQ==', undefined]);
  });
});

/** D1: what Gemini gets back of its signatures when the client speaks another format. */
function signaturesThrough(codec: Codec, events: readonly StreamEvent[]): unknown[] {
  const shown = codec.encodeResponse(foldAll(events), { model: 'm' });
  const body = codec === chat ? chatHistory(shown) : messagesHistory(shown);
  const sent = gemini.encodeRequest(requestOf(codec, body), TARGET).body;
  expect(problemsIn(sent)).toEqual([]);
  return objects(sent.contents).flatMap(({ parts }) =>
    objects(parts).flatMap((part) => (part.functionCall ? [part.thoughtSignature] : [])),
  );
}

function chatHistory(shown: JsonObject): JsonObject {
  const [choice] = objects(shown.choices);
  const message = isObject(choice?.message) ? choice.message : {};
  const results = objects(message.tool_calls).map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'ok' }));
  return { model: 'm', messages: [{ role: 'user', content: 'x' }, message, ...results] };
}

function messagesHistory({ content = [] }: JsonObject): JsonObject {
  const results = objects(content).flatMap(({ type, id }) =>
    type === 'tool_use' ? [{ type: 'tool_result', tool_use_id: id, content: 'ok' }] : [],
  );
  const turns = [
    { role: 'user', content: 'x' },
    { role: 'assistant', content },
    { role: 'user', content: results },
  ];
  return { model: 'm', max_tokens: 9, messages: turns };
}

describe.runIf(shared)('Claude Code on Gemini', () => {
  const captures = capturesIn('captures/claude-code');

  test('there are captures', () => {
    expect(captures.length).toBeGreaterThan(20);
  });

  test.each(captures)('%s becomes a body that Gemini takes', (path) => {
    const request = requestOf(messages, captured(path));
    for (const model of ['gemini-3-pro-preview', 'gemini-2.5-flash']) {
      const { body, losses } = gemini.encodeRequest(request, { ...TARGET, model });
      expect(problemsIn(body)).toEqual([]);
      expect(missingIn(body, request)).toEqual([]);
      expect(losses.every(({ reason }) => reason !== '')).toBe(true);
    }
  });

  test.each(captures)('%s offers each tool that can be called', (path) => {
    const request = requestOf(messages, captured(path));
    const { body } = gemini.encodeRequest(request, TARGET);
    const declared = objects(body.tools).flatMap((tool) => objects(tool.functionDeclarations));
    const callable = request.tools.filter((tool) => tool.type === 'function').map((tool) => tool.name);
    expect(declared.map(({ name }) => name)).toEqual(callable);
  });

  test.each(captures)('%s gives the same bytes each time', (path) => {
    const encoded = () => JSON.stringify(gemini.encodeRequest(requestOf(messages, captured(path)), TARGET));
    expect(encoded()).toBe(encoded());
  });
});

describe.runIf(shared)('Gemini CLI on other models', () => {
  const captures = capturesIn('captures/gemini-cli');

  test.each(captures)('%s in Chat Completions', (path) => {
    const request = geminiRequest(captured(path));
    const { body } = chat.encodeRequest(request, { model: 'gpt-4o', stream: true });
    expect(problemsInChat(body)).toEqual([]);
    expect(missingIn(body, request)).toEqual([]);
  });

  test.each(captures)('%s in Messages', (path) => {
    const request = geminiRequest(captured(path));
    const { body } = messages.encodeRequest(request, { model: 'claude-sonnet-4-5', stream: true });
    expect(() => messages.decodeRequest(body)).not.toThrow();
    expect(missingIn(body, request)).toEqual([]);
    expect(objects(body.tools).every(({ input_schema: schema }) => isObject(schema) && schema.type === 'object')).toBe(
      true,
    );
  });
});

describe.runIf(shared)('every recorded request of another format', () => {
  test.each(recorded.filter(([, , recording]) => hasRequest(recording)))('%s to Gemini', (_id, codec, recording) => {
    const request = requestOf(codec, recording.request.body ?? {});
    const { body, losses } = gemini.encodeRequest(request, TARGET);
    expect(problemsIn(body)).toEqual([]);
    expect(missingIn(body, request).length).toBeLessThanOrEqual(droppedIn(losses));
  });
});

describe.runIf(shared)('every recorded request of Gemini', () => {
  const requests = named(own.filter(hasRequest)).filter(
    ([, { request }]) => !('f' in (objects(request.body?.tools)[0] ?? {})),
  );

  test.each(requests)('%s to Chat Completions', (_id, recording) => {
    const request = geminiRequest(recording.request.body ?? {});
    const { body, losses } = chat.encodeRequest(request, { model: 'm', stream: false });
    expect(problemsInChat(body)).toEqual([]);
    expect(missingIn(body, request).length).toBeLessThanOrEqual(droppedIn(losses));
  });

  test.each(requests)('%s to Messages', (_id, recording) => {
    const request = geminiRequest(recording.request.body ?? {});
    const { body, losses } = messages.encodeRequest(request, { model: 'm', stream: false });
    expect(() => messages.decodeRequest(body)).not.toThrow();
    // text documents in base64 go out as text
    const missing = missingIn(body, request).filter((text) => !isText(request, text));
    expect(missing.length).toBeLessThanOrEqual(droppedIn(losses));
  });
});

const isText = (request: ChatRequest, data: string): boolean =>
  request.messages.some(({ parts }) =>
    parts.some(
      (part) =>
        part.type === 'media' &&
        part.mediaType.startsWith('text/') &&
        'data' in part.source &&
        part.source.data === data,
    ),
  );

describe.runIf(shared)('every recorded answer of Gemini', () => {
  const answers = named(own.filter(isAnswer));

  test.each(answers)('%s read by the openai SDK', async (_id, recording) => {
    const events = eventsIn(gemini, recording);
    const expected = expectedOf(foldAll(events));
    const read = await readByOpenai(events);
    expect(read).toMatchObject(expected);
    expect(read.text).toBe(recording.digest.text);
    expect(read.finish === 'tool_calls').toBe(expected.calls.length > 0 && read.finish !== 'length');
  });

  test.each(answers)('%s read by the Anthropic SDK', async (_id, recording) => {
    const events = eventsIn(gemini, recording);
    const expected = expectedOf(foldAll(events));
    const read = await readByAnthropic(events);
    expect(read).toMatchObject(expected);
    expect(read.finish === 'tool_use').toBe(expected.calls.length > 0 && read.finish !== 'max_tokens');
  });

  test.each(answers.filter(([, { tags }]) => tags.includes('signature')))('%s comes back signed', (_id, recording) => {
    const events = eventsIn(gemini, recording);
    const known = foldAll(events).parts.flatMap((part) =>
      part.type === 'tool-call' ? [part.origin?.block.thoughtSignature] : [],
    );
    const skipped = 'skip_thought_signature_validator';
    if (known.length > 0 && known[0] === undefined) known[0] = skipped;
    expect(signaturesThrough(messages, events).map(bytesOf)).toEqual(known.map(bytesOf));
    expect(signaturesThrough(chat, events).map(bytesOf)).toEqual(known.map(bytesOf));
  });
});

/** Both alphabets of base64 say the same. */
const bytesOf = (signature: unknown): unknown =>
  typeof signature === 'string' ? Buffer.from(signature, 'base64').toString('hex') : signature;

describe.runIf(shared)('every recorded answer of another format', () => {
  test.each(recorded.filter(([, , recording]) => isAnswer(recording)))(
    '%s read by a Gemini client',
    (_id, codec, recording) => {
      const events = eventsIn(codec, recording);
      const response = foldAll(events);
      const again = foldAll(decodedStream(encodedStream(events)));
      const expected = expectedOf(response);
      const read = expectedOf(again);
      expect(read.text).toBe(expected.text);
      expect(read.calls.map(({ name, arguments: args }) => [name, args])).toEqual(
        expected.calls.map(({ name, arguments: args }) => [name, args]),
      );
      expect(again.usage).toMatchObject({ input: response.usage.input, output: response.usage.output });
      const whole = gemini.decodeResponse(gemini.encodeResponse(response, { model: 'm' }));
      expect(expectedOf(whole).text).toBe(expected.text);
    },
  );
});

test('a request without messages of the user still has contents', () => {
  const { body } = gemini.encodeRequest(
    foreignRequest([{ role: 'system', parts: [{ type: 'text', text: 'x' }] }]),
    TARGET,
  );
  expect(problemsIn(body)).toEqual([]);
});

test.each(OTHERS)('what only Gemini understands is left out of %s under its own name', (id) => {
  const contents = [
    { role: 'user', parts: [{ text: 'a' }] },
    { role: 'model', parts: [{ executableCode: { language: 'PYTHON', code: '1' } }, { text: 'b' }] },
    { role: 'user', parts: [{ text: 'c' }] },
  ];
  const { losses } = codecs[id].encodeRequest(geminiRequest({ contents }), { model: 'm', stream: false });
  expect(losses.map(({ reason }) => reason)).toContain('"executableCode" exists only in gemini');
});
