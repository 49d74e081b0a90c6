import { describe, expect, test } from 'vitest';
import { gemini } from '../../../src/codecs/gemini/index.ts';
import { isObject, type JsonObject } from '../../../src/model/json.ts';
import { type ChatResponse, eventsOf, foldAll } from '../../../src/model/response.ts';
import { cases, type Digest, type Recording } from '../../support/recordings.ts';
import { shared } from '../../support/shared.ts';
import { decodedStream, encodedStream, objects, requestOf } from './support.ts';

const recordings = cases({ endpoint: 'gemini.generate' });
const answered = recordings.filter(({ digest }) => !digest.error);
const streamed = answered.filter(({ stream }) => stream);
const whole = answered.filter(({ stream }) => !stream);
const named = (some: readonly Recording[]) => some.map((recording) => [recording.id, recording] as const);

function responseOf({ response }: Recording, pieceSize?: number): ChatResponse {
  if (response.sse !== undefined) return foldAll(decodedStream(response.sse, pieceSize));
  return gemini.decodeResponse(response.body ?? {});
}

const idBefore = (id: string): string => id.split('_ts_')[0] ?? '';

/** Our reading in the digests' words: `output` leaves thinking out, and a refused prompt has no finish. */
function digestOf({ parts, reason, usage, endOrigin }: ChatResponse): Digest {
  const joined = (type: 'text' | 'reasoning') =>
    parts.flatMap((part) => (part.type === type && 'text' in part ? [part.text] : [])).join('');
  const isBlocked = isObject(endOrigin?.block.promptFeedback);
  return {
    finish: isBlocked ? null : (reason.raw?.word ?? null),
    text: joined('text'),
    thinking: joined('reasoning'),
    toolCalls: parts.flatMap((part) =>
      part.type === 'tool-call' ? [{ id: idBefore(part.id), name: part.name, arguments: JSON.parse(part.input) }] : [],
    ),
    usage: { input: usage.input, output: usage.output - usage.reasoning, reasoning: usage.reasoning },
  };
}

/** The digest's words that we have too; calls without ids get one of ours. */
function expectedOf({ digest }: Recording): object {
  const { finish, text, thinking, usage = {}, toolCalls } = digest;
  const { total: _1, cacheRead: _2, ...counts } = usage;
  return {
    finish,
    text,
    thinking,
    usage: counts,
    ...(toolCalls && { toolCalls: toolCalls.map((call) => ({ ...call, id: call.id ?? expect.any(String) })) }),
  };
}

/** Cheap and repeatable: a piece size of its own for each recording. */
const pieceSizeOf = (id: string): number => 1 + ([...id].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 97);

describe.runIf(shared)('recorded answers', () => {
  test('there are recordings to check', () => {
    expect(streamed.length).toBeGreaterThan(25);
    expect(whole.length).toBeGreaterThan(50);
  });

  test.each(named(answered))('%s reads as the official SDK reads it', (_id, recording) => {
    expect(digestOf(responseOf(recording))).toMatchObject(expectedOf(recording));
  });

  test.each(named(streamed))('%s reads the same in small pieces', (id, recording) => {
    expect(responseOf(recording, pieceSizeOf(id))).toEqual(responseOf(recording, 1_000_000));
  });

  test.each(named(answered))('%s folds back from its own events', (_id, recording) => {
    const response = responseOf(recording);
    expect(foldAll(eventsOf(response))).toEqual(response);
  });

  test.each(named(whole))('%s is written again as it came', (_id, recording) => {
    const body = recording.response.body ?? {};
    expect(gemini.encodeResponse(gemini.decodeResponse(body))).toEqual(asWritten(body));
  });

  test.each(named(answered))('%s means the same when it is streamed on', (_id, recording) => {
    const response = responseOf(recording);
    const again = foldAll(decodedStream(encodedStream(eventsOf(response), response.model)));
    if (recording.stream) expect(again.parts.map(comparable)).toEqual(response.parts.map(comparable));
    expect(digestOf(again)).toEqual(digestOf(response));
    expect(again.endOrigin).toEqual(response.endOrigin);
  });

  test.each(named(streamed))('%s tells its usage and end at a glance', (_id, recording) => {
    const { usage, reason } = responseOf(recording);
    const glance = gemini.glance(Buffer.from(recording.response.sse ?? ''), 'sse');
    expect(glance).toEqual({ usage, reason, complete: true });
  });

  test.each(named(whole))('%s tells its usage and end at a glance', (_id, recording) => {
    const { usage, reason } = responseOf(recording);
    const glance = gemini.glance(Buffer.from(JSON.stringify(recording.response.body)), 'json');
    expect(glance).toEqual({ usage, reason, complete: true });
  });

  test.each(named(streamed))('%s cut before its end is an error', (id, recording) => {
    const sse = recording.response.sse ?? '';
    const end = sse.lastIndexOf('data: ');
    const cut = Math.floor((end * (pieceSizeOf(id) + 1)) / 100);
    for (const half of [sse.slice(0, cut), sse.slice(0, end)]) {
      expect(() => decodedStream(half)).toThrow(expect.objectContaining({ kind: 'network' }));
      expect(gemini.glance(Buffer.from(half), 'sse').complete).toBe(false);
    }
  });
});

/** Calls get ids and arguments that are always there; a candidate always has its place and its content. */
function asWritten(body: JsonObject): JsonObject {
  const written = structuredClone(body);
  for (const candidate of objects(written.candidates)) {
    candidate.index = 0;
    const content = isObject(candidate.content) ? candidate.content : {};
    candidate.content = {
      ...content,
      role: 'model',
      parts: objects(content.parts).filter((part) => !isEmptyText(part)),
    };
    for (const part of objects(candidate.content.parts)) {
      if (isObject(part.functionCall)) part.functionCall = { id: expect.any(String), args: {}, ...part.functionCall };
    }
  }
  return written;
}

const isEmptyText = (part: JsonObject): boolean => part.text === '' && Object.keys(part).length === 1;

/** Ids are minted from the id of the call, and arguments are written in one way. */
function comparable(part: ChatResponse['parts'][number]): object {
  if (part.type !== 'tool-call') return part;
  const { id: _1, origin, ...rest } = part;
  return { ...rest, signature: origin?.block.thoughtSignature };
}

describe.runIf(shared)('recorded errors', () => {
  const failed = recordings.filter(({ digest }) => digest.error?.status);

  test.each(named(failed))('%s keeps its status and its message', (_id, { response, digest }) => {
    const text = response.text ?? JSON.stringify(response.body);
    const error = gemini.decodeError(response.status, text, response.headers);
    expect(error.details.status).toBe(digest.error?.status);
    const written = gemini.encodeError(error);
    expect(written.status).toBe(response.status);
    const told = isObject(response.body?.error) ? response.body.error : {};
    expect(written.body.error).toMatchObject({ code: told.code, message: told.message, status: told.status });
  });
});

const bodies = recordings.flatMap(({ id, request }) =>
  request.body && !('f' in (objects(request.body.tools)[0] ?? {})) ? [[id, request.body] as const] : [],
);

describe.runIf(shared)('recorded requests', () => {
  test('there are requests to check', () => {
    expect(bodies.length).toBeGreaterThan(90);
  });

  test.each(bodies)('%s goes out as it came', (_id, body) => {
    const { body: sent, losses } = gemini.encodeRequest(requestOf(body), { model: 'other-model', stream: false });
    expect(JSON.stringify(sent)).toBe(JSON.stringify(camel(body)));
    expect(losses).toEqual([]);
  });

  test.each(bodies)('%s keeps its content when it is built anew', (_id, body) => {
    const { body: sent } = gemini.encodeRequest(requestOf(body, { raw: false }), { model: 'm', stream: false });
    expect(partsIn(sent)).toEqual(partsIn(camel(body)));
    const { contents: _1, systemInstruction: _2, tools, ...rest } = camel(body);
    const { contents: _3, systemInstruction: _4, tools: sentTools, ...sentRest } = sent;
    expect(sentRest).toEqual(withoutEmptyConfig(rest));
    expect(toolsIn(sentTools)).toEqual(toolsIn(tools));
  });
});

/** Some bodies are in snake_case, partly. */
const camel = (body: JsonObject): JsonObject =>
  JSON.parse(
    SNAKES.reduce(
      (text, name) => text.replaceAll(`"${name}"`, `"${name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())}"`),
      JSON.stringify(body),
    ),
  );

const SNAKES = `inline_data mime_type code_execution prompt_template_name response_template_name parameters_json_schema
  file_search file_search_store_names function_declarations tool_type`.split(/\s+/);

const withoutEmptyConfig = ({ generationConfig, ...rest }: JsonObject): JsonObject =>
  isObject(generationConfig) && Object.keys(generationConfig).length > 0 ? { ...rest, generationConfig } : rest;

/**
 * Parts of the system instruction and of all contents, pieces of one text as one; the mark for unsigned calls of the
 * last turn is ours.
 */
function partsIn(body: JsonObject): unknown[] {
  const contents = [body.systemInstruction ?? {}, ...objects(body.contents)];
  return contents.flatMap((content) =>
    piecesJoined(isObject(content) ? content : {}).map(({ thoughtSignature, ...part }) =>
      thoughtSignature === undefined || thoughtSignature === 'skip_thought_signature_validator'
        ? part
        : { ...part, thoughtSignature },
    ),
  );
}

/** What the model said in one go is one text, however many pieces it came in. */
function piecesJoined({ role, parts }: JsonObject): JsonObject[] {
  const isPiece = (part: JsonObject | undefined) => part !== undefined && Object.keys(part).join() === 'text';
  const joined: JsonObject[] = [];
  for (const part of objects(parts)) {
    const last = joined.at(-1);
    if (role === 'model' && isPiece(last) && isPiece(part))
      joined[joined.length - 1] = { text: `${last?.text}${part.text}` };
    else joined.push(part);
  }
  return joined;
}

const toolsIn = (tools: JsonObject[string]): unknown[] =>
  (isObject(tools) ? [tools] : objects(tools))
    .flatMap(({ functionDeclarations, ...hosted }) => [
      ...Object.entries(hosted).map(([name, value]) => ({ [name]: value })),
      ...objects(functionDeclarations),
    ])
    .map((tool) => JSON.stringify(tool))
    .sort();
