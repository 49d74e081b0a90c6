import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { codecs } from '../../src/codecs/index.ts';
import { isObject, type JsonObject, type JsonValue } from '../../src/model/json.ts';
import { appended } from '../../src/model/request.ts';
import { foldAll } from '../../src/model/response.ts';
import { cases, type Recording } from '../support/recordings.ts';
import { shared, sharedPath } from '../support/shared.ts';
import { problemsIn } from './chat-body.ts';
import { fixture } from './openai-chat/fixtures.ts';
import { droppedIn, eventsIn, expectedOf, missingIn, readByAnthropic, readByOpenai } from './pairing.ts';
import { requestOf } from './requests.ts';

const chat = codecs['openai-chat'];
const messages = codecs['anthropic-messages'];

const recorded = {
  'anthropic-messages': cases({ endpoint: 'anthropic.messages' }),
  'openai-chat': cases({ endpoint: 'openai.chat' }),
} as const;
const named = (list: readonly Recording[]): [string, Recording][] => list.map((recording) => [recording.id, recording]);
const answersOf = (id: keyof typeof recorded): Recording[] => recorded[id].filter(({ digest }) => !digest.error);
const requestsOf = (id: keyof typeof recorded): Recording[] =>
  recorded[id].filter(({ request, status }) => request.body && status === 200);

const fieldsOf = (losses: readonly { field: string }[]): string[] => losses.map(({ field }) => field);

const CLAUDE_CODE = 'captures/claude-code';
const captures = shared ? readdirSync(sharedPath(CLAUDE_CODE)).filter((file) => file.startsWith('req-')) : [];
const captured = (file: string): JsonObject => JSON.parse(readFileSync(sharedPath(CLAUDE_CODE, file), 'utf8')).body;

describe('a turn of a coding agent', () => {
  const turn: JsonObject = JSON.parse(fixture('claude-code-turn.json'));
  const target = { model: 'gpt-4o', stream: true, maxOutputTokens: 16_384, reasoning: false };
  const { body, losses } = chat.encodeRequest(requestOf(messages, turn), target);

  test('written in Messages is asked in Chat Completions', () => {
    expect(problemsIn(body)).toEqual([]);
    expect(body).toMatchObject({
      model: 'gpt-4o',
      stream: true,
      stream_options: { include_usage: true },
      max_completion_tokens: 16_384,
      messages: [
        { role: 'system', content: 'You are a coding agent.\n\nWork with care.' },
        { role: 'user', content: [{ text: '<reminder>' }, { text: 'Look at shot.png' }] },
        { role: 'system', content: 'Deferred tools: WebFetch' },
        { role: 'assistant', content: 'I look.', tool_calls: [{ id: 'toolu_1' }, { id: 'toolu_2' }] },
        { role: 'tool', tool_call_id: 'toolu_1' },
        { role: 'tool', tool_call_id: 'toolu_2', content: 'Tool WebFetch is now available.' },
        { role: 'user', content: [{ type: 'text' }, { type: 'image_url' }] },
        { role: 'user', content: 'Go on.' },
      ],
      tools: [{ function: { name: 'Read' } }, { function: { name: 'WebFetch' } }],
    });
  });

  test('F1 leaves nothing out that the ledger does not name', () => {
    expect(losses.map(({ action, field }) => `${action} ${field}`).sort()).toEqual([
      'dropped context_management',
      'dropped messages.*.content.*.cache_control',
      'dropped messages.*.content.*.signature',
      'dropped messages.0.content.0',
      'dropped messages.3.reasoning',
      'dropped reasoning_effort',
      'dropped thinking.display',
      'dropped tools.1.defer_loading',
      'dropped tools.2',
      'dropped user',
      'invented messages.4',
      'invented stream_options.include_usage',
      'invented tools.1.function.parameters.properties',
      'rewritten max_completion_tokens',
      'rewritten messages.4.content',
      'rewritten messages.4.content.0',
    ]);
  });

  test('answered in Chat Completions is read in Messages', async () => {
    const sse = fixture('parallel-calls.sse');
    const events = eventsIn(chat, { response: { status: 200, headers: {}, sse } });
    expect(await readByAnthropic(events)).toEqual({
      text: 'Ich schaue nach – für beide Städte 🌤',
      calls: [
        { id: 'call_a', name: 'weather', arguments: { city: 'Köln' } },
        { id: 'call_b', name: 'weather', arguments: { city: 'Bern' } },
      ],
      finish: 'tool_use',
    });
  });
});

describe.runIf(shared)('Claude Code on a model behind Chat Completions', () => {
  const target = { model: 'gpt-4o', stream: true, maxOutputTokens: 16_384, reasoning: false };

  test('there are captures', () => {
    expect(captures.length).toBeGreaterThan(20);
  });

  test.each(captures)('%s becomes a body that OpenAI takes', (file) => {
    const request = requestOf(messages, captured(file));
    const { body, losses } = chat.encodeRequest(request, target);
    expect(problemsIn(body)).toEqual([]);
    expect(missingIn(body, request)).toEqual([]);
    expect(body.max_completion_tokens).toBe(16_384);
    expect(body.reasoning_effort).toBeUndefined();
    expect(body.user).toBeUndefined();
    expect(losses.every(({ reason }) => reason !== '')).toBe(true);
  });

  test.each(captures)('%s has an entry in the ledger for each field that is gone', (file) => {
    const body = captured(file);
    const fields = fieldsOf(chat.encodeRequest(requestOf(messages, body), target).losses);
    const expected = ['max_completion_tokens', 'stream_options.include_usage', 'user'];
    if (body.thinking || isObject(body.output_config)) expected.push('reasoning_effort');
    for (const field of ['context_management', 'safeguards']) if (body[field] !== undefined) expected.push(field);
    if (Array.isArray(body.tools) && body.tools.some((tool) => isObject(tool) && tool.defer_loading)) {
      expect(fields.some((field) => field.startsWith('tools.'))).toBe(true);
    }
    if (JSON.stringify(body.system ?? '').includes('cache_control')) {
      expect(fields.some((field) => field.endsWith('.cache_control'))).toBe(true);
    }
    expect(fields).toEqual(expect.arrayContaining(expected));
  });

  test.each(captures)('%s offers each tool that can be called', (file) => {
    const request = requestOf(messages, captured(file));
    const { body } = chat.encodeRequest(request, target);
    const offered = (Array.isArray(body.tools) ? body.tools : []).map(
      (tool) => isObject(tool) && isObject(tool.function) && tool.function.name,
    );
    const callable = request.tools.filter((tool) => tool.type === 'function').map((tool) => tool.name);
    expect(offered).toEqual(callable);
  });

  test.each(captures)('%s gives the same bytes each time', (file) => {
    const encoded = () => JSON.stringify(chat.encodeRequest(requestOf(messages, captured(file)), target));
    expect(encoded()).toBe(encoded());
  });

  test('F4 the billing header, which changes with each request, is left out', () => {
    const request = requestOf(messages, captured('req-2.1.330-hello.json'));
    const { body, losses } = chat.encodeRequest(request, target);
    expect(JSON.stringify(body)).not.toContain('x-anthropic-billing-header');
    expect(fieldsOf(losses)).toContain('messages.0.content.0');
  });

  test('images and documents in results follow as the user', () => {
    const { body } = chat.encodeRequest(requestOf(messages, captured('req-2.1.330-image-pdf.json')), target);
    const wire = Array.isArray(body.messages) ? body.messages.filter(isObject) : [];
    const last = wire.at(-1);
    expect(wire.map(({ role }) => role)).toEqual(['system', 'user', 'system', 'assistant', 'tool', 'tool', 'user']);
    const kinds = Array.isArray(last?.content) ? last.content.map((part) => isObject(part) && part.type) : [];
    expect(kinds).toEqual(['text', 'image_url', 'text', 'file']);
  });
});

/** Fields of a chat body that a twin must share; wording of answers and names of ids are each provider's own. */
function skeleton(body: JsonObject): JsonValue {
  const wire = Array.isArray(body.messages) ? body.messages.filter(isObject) : [];
  const turns = wire.map(({ role, content, tool_calls: calls }) => {
    const called = Array.isArray(calls) ? calls.filter(isObject).map((call) => call.function ?? null) : [];
    return { role: role ?? null, ...(role !== 'assistant' && { said: contentText(content) }), called };
  });
  return { turns, tools: body.tools ?? null, response_format: schemaOf(body.response_format), stop: body.stop ?? null };
}

const contentText = (content: JsonValue | undefined): JsonValue => {
  if (!Array.isArray(content)) return content ?? null;
  return content
    .filter(isObject)
    .map((part) => (part.type === 'text' ? (part.text ?? null) : (part.type ?? null)))
    .join('\n');
};

const schemaOf = (format: JsonValue | undefined): JsonValue =>
  isObject(format) && isObject(format.json_schema) ? (format.json_schema.schema ?? null) : null;

describe.runIf(shared)('twins: one case asked in both formats', () => {
  const twins = recorded['openai-chat'].flatMap((theirs): [string, Recording, Recording][] => {
    const tail = /^oc-lin-(.*)$/.exec(theirs.id)?.[1];
    const ours = recorded['anthropic-messages'].find(({ id }) => id === `an-lin-${tail}`);
    return tail && ours ? [[tail, theirs, ours]] : [];
  });
  // asked with other words, other tools or other documents in the two formats
  const unlike = new Set(['stop-sequences-param', 'stop-sequences-param-followup']);

  test('there are some', () => {
    expect(twins.length).toBeGreaterThan(10);
  });

  test.each(twins)('%s', (name, theirs, ours) => {
    const request = requestOf(messages, ours.request.body ?? {});
    const { body } = chat.encodeRequest(request, { model: 'm', stream: false });
    expect(problemsIn(body)).toEqual([]);
    if (!unlike.has(name)) expect(skeleton(body)).toEqual(skeleton(theirs.request.body ?? {}));
  });
});

describe.runIf(shared)('every recorded request in the other format', () => {
  test.each(named(requestsOf('anthropic-messages')))('%s to Chat Completions', (_, recording) => {
    const request = requestOf(messages, recording.request.body ?? {});
    const { body, losses } = chat.encodeRequest(request, { model: 'm', stream: false });
    expect(problemsIn(body)).toEqual([]);
    expect(missingIn(body, request).length).toBeLessThanOrEqual(droppedIn(losses));
  });

  test.each(named(requestsOf('openai-chat')))('%s to Messages', (_, recording) => {
    const request = requestOf(chat, recording.request.body ?? {});
    const { body, losses } = messages.encodeRequest(request, { model: 'm', stream: false });
    expect(missingIn(body, request).length).toBeLessThanOrEqual(droppedIn(losses));
    expect(() => messages.decodeRequest(body)).not.toThrow();
  });
});

describe.runIf(shared)('every recorded answer in the other format', () => {
  test.each(named(answersOf('anthropic-messages')))('%s read by the openai SDK', async (_, recording) => {
    const events = eventsIn(messages, recording);
    const read = await readByOpenai(events);
    const expected = expectedOf(foldAll(events));
    expect(read).toMatchObject(expected);
    expect(read.text).toBe(recording.digest.text);
    const cut = read.finish === 'length' || read.finish === 'content_filter';
    expect(read.finish === 'tool_calls' || cut).toBe(expected.calls.length > 0 || cut);
  });

  test.each(named(answersOf('openai-chat')))('%s read by the Anthropic SDK', async (_, recording) => {
    const events = eventsIn(chat, recording);
    const read = await readByAnthropic(events);
    const expected = expectedOf(foldAll(events));
    expect(read.text).toBe(expected.text);
    expect(read.calls.map(({ id: _id, ...call }) => call)).toEqual(expected.calls.map(({ id: _id, ...call }) => call));
    expect(read.finish === 'tool_use').toBe(expected.calls.length > 0 && read.finish !== 'max_tokens');
  });

  test.each(named(answersOf('anthropic-messages')).filter(([, { tags }]) => tags.includes('signature')))(
    '%s gives thinking that Claude takes back',
    (_, recording) => {
      const response = foldAll(eventsIn(messages, recording));
      const wire = chat.encodeResponse(response, { model: 'm' });
      const choices = Array.isArray(wire.choices) ? wire.choices : [];
      const message = isObject(choices[0]) ? choices[0].message : undefined;
      const body = {
        model: 'm',
        messages: [{ role: 'user', content: 'x' }, message ?? null, { role: 'user', content: 'y' }],
      };
      const again = appended(requestOf(chat, body), {});
      const sent = messages.encodeRequest(again, { model: 'm', stream: false }).body;
      const signatures = response.parts.flatMap((part) =>
        part.origin?.block.signature ? [part.origin.block.signature] : [],
      );
      expect(signatures.filter((signature) => !JSON.stringify(sent).includes(String(signature)))).toEqual([]);
    },
  );
});
