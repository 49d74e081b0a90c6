import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fixture } from '../codecs/gemini/support.ts';
import { type ChatAnswer, type ChatBody, type ChatUpstream, startChatUpstream } from '../support/chat-upstream.ts';
import { eventually, type Gateway, keyed, post, startGatewayHere, testServer } from '../support/gateway.ts';
import { json, sse, startUpstream, type Upstream } from '../support/upstream.ts';

const STREAM = fixture('thinking-and-calls.sse');
const ANSWER = fixture('answer.json');

/** A stream in the fields' original names, of text and the page that it rests on. */
const SNAKE_CASED = [
  { candidates: [{ content: { role: 'model', parts: [{ text: 'It is so.' }] } }], model_version: 'm' },
  {
    candidates: [
      {
        finish_reason: 'STOP',
        grounding_metadata: {
          grounding_chunks: [{ web: { uri: 'https://a.test', title: 'A' } }],
          grounding_supports: [{ segment: { end_index: 9 }, grounding_chunk_indices: [0] }],
        },
      },
    ],
    usage_metadata: { prompt_token_count: 3, candidates_token_count: 4, total_token_count: 7 },
  },
]
  .map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`)
  .join('');

let google: Upstream;
let chat: ChatUpstream;
let script: (body: ChatBody) => ChatAnswer;
let gateway: Gateway;
let client: GoogleGenAI;

beforeAll(async () => {
  google = await startUpstream();
  chat = await startChatUpstream((body) => script(body));
  gateway = await startGatewayHere({
    providers: { gemini: keyed(google.url), openai: keyed(chat.url) },
    mcp: { client_configs: [testServer()] },
  });
  client = new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: `${gateway.url}/genai` } });
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all([google.close(), chat.close()]);
});

afterEach(() => {
  chat.bodies.length = 0;
});

/** Without any tool of ours, so that the request passes untouched. */
const ALONE = { 'x-bf-mcp-include-clients': '' };
const QUESTION = { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }], unknownField: { kept: 1 } };
const asked = (verb: string, model = 'gemini/gemini-3-pro', headers: Record<string, string> = ALONE) =>
  post(`${gateway.url}/genai/v1beta/models/${model}:${verb}`, QUESTION, headers);
const lastBody = () => JSON.parse(String(google.requests.at(-1)?.body));
const callsEcho = ({ messages }: ChatBody): ChatAnswer => {
  const result = messages.findLast(({ role }) => role === 'tool');
  if (result) return { text: `it said ${String(result.content)}` };
  return { text: '', calls: [{ id: 'call_1', name: 'ref-echo', input: { value: 'cuckoo' } }] };
};

describe('a Gemini client of a Gemini model', () => {
  test.each(['gemini/gemini-3-pro', 'gemini%2Fgemini-3-pro', 'gemini-3-pro'])(
    'gets the bytes as they came (%s)',
    async (model) => {
      google.answers(sse([STREAM.slice(0, 300), STREAM.slice(300)]));
      const answer = await asked('streamGenerateContent?alt=sse', model);
      expect(await answer.text()).toBe(STREAM);
      const request = google.requests.at(-1);
      expect(request?.path).toBe('/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse');
      expect(request?.headers['x-goog-api-key']).toBe('sk-test');
      expect(String(request?.body)).toBe(JSON.stringify(QUESTION));
    },
  );

  test('gets answers in snake_case as they came, and their counts are logged', async () => {
    google.answers(sse([SNAKE_CASED]));
    const headers = { ...ALONE, 'x-request-id': 'snake-1' };
    const answer = await asked('streamGenerateContent?alt=sse', 'gemini/gemini-3-pro', headers);
    expect(await answer.text()).toBe(SNAKE_CASED);
    const id = answer.headers.get('x-request-id') ?? '';
    const row = await eventually(
      async () => (await fetch(`${gateway.url}/api/logs/${id}`)).text(),
      (text) => text.includes('"success"'),
    );
    expect(row).toMatch(/"prompt_tokens":3\b/);
  });

  test('that does not ask for events gets its stream as one JSON array', async () => {
    google.answers(sse([STREAM.slice(0, 300), STREAM.slice(300)]));
    const answer = await asked('streamGenerateContent');
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    const chunks = [...STREAM.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data));
    expect(await answer.json()).toEqual(chunks);
  });

  test('gets a whole answer as it came', async () => {
    google.answers(json(ANSWER));
    expect(await (await asked('generateContent')).text()).toBe(ANSWER);
    expect(google.requests.at(-1)?.path).toBe('/v1beta/models/gemini-3-pro:generateContent');
  });

  test('gets refusals with their status and words', async () => {
    const error = { code: 400, message: 'bad schema', status: 'INVALID_ARGUMENT' };
    google.answers(json({ error }, { status: 400 }));
    const answer = await asked('streamGenerateContent?alt=sse');
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ error });
  });

  test('is told of a stream that breaks off', async () => {
    google.answers(sse([STREAM.slice(0, STREAM.lastIndexOf('data:'))], 'cut'));
    const text = await (await asked('streamGenerateContent?alt=sse')).text();
    expect(text).toMatch(/data: \{"error":\{"code":502,.*\n\n$/);
  });

  test('has tools of ours run between two requests, signatures and all', async () => {
    const part = { functionCall: { name: 'ref-echo', args: { value: 'hey' } }, thoughtSignature: 'c2ln' };
    const calling = { candidates: [{ content: { role: 'model', parts: [part] }, finishReason: 'STOP' }] };
    google.answers(json(calling), json(ANSWER));
    const answer = await client.models.generateContent({ model: 'gemini/gemini-3-pro', contents: 'x' });
    expect(JSON.stringify(answer.candidates)).toContain('Hello.');
    expect(lastBody().contents.slice(1)).toEqual([
      { role: 'model', parts: [part] },
      { role: 'user', parts: [{ functionResponse: { name: 'ref-echo', response: { output: 'hey' } } }] },
    ]);
  });

  test('runs its own calls of a mixed turn, and the results of ours are not lost', async () => {
    const ours = { functionCall: { name: 'ref-echo', args: { value: 'hey' } } };
    const theirs = { functionCall: { name: 'mine', args: { a: 1 } }, thoughtSignature: 'c2ln' };
    const parts = [theirs, ours];
    google.answers(json({ candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP' }] }), json(ANSWER));
    const tools = [{ functionDeclarations: [{ name: 'mine' }] }];
    const user = { role: 'user', parts: [{ text: 'x' }] };
    const first = await client.models.generateContent({
      model: 'gemini/gemini-3-pro',
      contents: [user],
      config: { tools },
    });
    const content = first.candidates?.[0]?.content;
    expect(content?.parts).toEqual([{ ...theirs, functionCall: { ...theirs.functionCall, id: expect.any(String) } }]);
    const id = content?.parts?.[0]?.functionCall?.id ?? '';
    const functionResponse = { id, name: 'mine', response: { output: 'done' } };
    const contents = [user, content ?? {}, { role: 'user', parts: [{ functionResponse }] }];
    await client.models.generateContent({ model: 'gemini/gemini-3-pro', contents, config: { tools } });
    expect(lastBody().contents.slice(1)).toEqual([
      { role: 'model', parts },
      {
        role: 'user',
        parts: [
          { functionResponse: { name: 'mine', response: { output: 'done' } } },
          { functionResponse: { name: 'ref-echo', response: { output: 'hey' } } },
        ],
      },
    ]);
  });

  test('a mixed turn comes back with a placeholder for a signature, and the results of ours are not lost', async () => {
    const ours = { functionCall: { name: 'ref-echo', args: { value: 'hey' } }, thoughtSignature: 'c2ln' };
    const theirs = { functionCall: { name: 'mine', args: { a: 1 } } };
    const answer = { content: { role: 'model', parts: [ours, theirs] }, finishReason: 'STOP' };
    google.answers(json({ candidates: [answer] }), json(ANSWER));
    const config = { tools: [{ functionDeclarations: [{ name: 'mine' }] }] };
    const user = { role: 'user', parts: [{ text: 'y' }] };
    const model = 'gemini/gemini-3-pro';
    const first = await client.models.generateContent({ model, contents: [user], config });
    const call = first.functionCalls?.[0] ?? {};
    // as Gemini CLI signs every call that came without
    const signed = { functionCall: call, thoughtSignature: 'skip_thought_signature_validator' };
    const result = { functionResponse: { id: call.id ?? '', name: 'mine', response: { output: 'done' } } };
    const contents = [user, { role: 'model', parts: [signed] }, { role: 'user', parts: [result] }];
    await client.models.generateContent({ model, contents, config });
    expect(lastBody().contents.slice(1)).toMatchObject([
      { role: 'model', parts: [ours, theirs] },
      { role: 'user', parts: [{ functionResponse: { name: 'ref-echo' } }, { functionResponse: { name: 'mine' } }] },
    ]);
  });

  test('has its tokens counted by Google', async () => {
    google.answers(json({ totalTokens: 42 }));
    expect(await client.models.countTokens({ model: 'gemini/gemini-3-pro', contents: 'x' })).toMatchObject({
      totalTokens: 42,
    });
    expect(google.requests.at(-1)?.path).toBe('/v1beta/models/gemini-3-pro:countTokens');
    expect(lastBody().generateContentRequest).toMatchObject({
      model: 'models/gemini-3-pro',
      contents: [{ parts: [{ text: 'x' }] }],
    });
  });
});

describe('a Gemini client of another model', () => {
  test('reads its answer, streamed and whole, with the work of our tools in it', async () => {
    script = callsEcho;
    const question = { model: 'openai/gpt-4o', contents: 'x' };
    const whole = await client.models.generateContent(question);
    expect(whole.text).toBe('it said cuckoo');
    expect(whole.functionCalls).toBeUndefined();
    let text = '';
    for await (const chunk of await client.models.generateContentStream(question)) text += chunk.text ?? '';
    expect(text).toBe('it said cuckoo');
    expect(chat.bodies[0]).toMatchObject({ model: 'gpt-4o', messages: [{ role: 'user', content: 'x' }] });
  });

  test('reads it as an array too, with its failures as the last element', async () => {
    script = () => ({ text: 'hello there' });
    const chunks = await (await asked('streamGenerateContent', 'openai/gpt-4o')).json();
    const texts = (Array.isArray(chunks) ? chunks : []).map(
      (chunk) => chunk.candidates?.[0]?.content?.parts?.[0]?.text,
    );
    expect(texts.join('')).toBe('hello there');
    script = () => ({ status: 429, error: 'too fast' });
    const refused = await asked('streamGenerateContent', 'openai/gpt-4o');
    expect([refused.status, await refused.json()]).toMatchObject([429, { error: { message: 'too fast' } }]);
  });

  test('gets its own calls', async () => {
    script = () => ({ text: '', calls: [{ id: 'call_9', name: 'mine', input: { a: 1 } }] });
    const tools = [
      { functionDeclarations: [{ name: 'mine', parametersJsonSchema: { type: 'object', properties: {} } }] },
    ];
    const answer = await client.models.generateContent({ model: 'openai/gpt-4o', contents: 'x', config: { tools } });
    expect(answer.functionCalls).toEqual([{ id: 'call_9', name: 'mine', args: { a: 1 } }]);
    expect(answer.candidates?.[0]?.finishReason).toBe('STOP');
  });

  test('has its tokens counted all the same', async () => {
    const { totalTokens } = await client.models.countTokens({ model: 'openai/gpt-4o', contents: 'some words' });
    expect(totalTokens).toBeGreaterThan(1);
  });
});

describe('another client of a Gemini model', () => {
  test('reads its answer in its own format', async () => {
    google.answers(sse([STREAM]));
    const body = { model: 'gemini/gemini-3-pro', stream: true, messages: [{ role: 'user', content: 'Hi' }] };
    const text = await (await post(`${gateway.url}/v1/chat/completions`, body, ALONE)).text();
    expect(text).toContain('"finish_reason":"tool_calls"');
    expect(text).toMatch(/"id":"call_[0-9a-f]{24}_ts_c2lnbmF0dXJlLW9uZQ"/);
    expect(lastBody()).toEqual({ contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] });
  });
});

test('models are listed in Google’s shape, with what each can do', async () => {
  google.answers(
    json({
      models: [
        { name: 'models/gemini-3-pro', displayName: 'Gemini 3 Pro', supportedGenerationMethods: ['generateContent'] },
        { name: 'models/embedding-1', supportedGenerationMethods: ['embedContent'] },
        { name: 'models/veo-1', supportedGenerationMethods: ['predictLongRunning'] },
      ],
    }),
  );
  const body = (await (await fetch(`${gateway.url}/genai/v1beta/models`)).json()) as {
    models: { name: string; supportedGenerationMethods: string[] }[];
  };
  const names = body.models.map(({ name }) => name);
  expect(names).toContain('models/gemini/gemini-3-pro');
  expect(body.models.find(({ name }) => name.endsWith('embedding-1'))?.supportedGenerationMethods).toEqual([
    'embedContent',
  ]);
  expect(names).not.toContain('models/gemini/veo-1');
});

test('what is not served is refused in Google’s words', async () => {
  const answer = await post(`${gateway.url}/genai/v1beta/models/x/y:generateAnswer`, {});
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ error: { code: 404, status: 'NOT_FOUND' } });
});

describe('a Gemini that answers in snake_case', () => {
  test('is read for clients of every other format, the page that it names and all', async () => {
    google.answers(sse([SNAKE_CASED]));
    const openai = new OpenAI({ apiKey: 'any', baseURL: `${gateway.url}/v1`, maxRetries: 0, defaultHeaders: ALONE });
    const asking = { model: 'gemini/gemini-3-pro', input: 'Hi', stream: true as const };
    const { output_text, output, usage } = await openai.responses.stream(asking).finalResponse();
    expect([output_text, usage?.input_tokens, usage?.output_tokens]).toEqual(['It is so.', 3, 4]);
    expect(output).toMatchObject([
      { content: [{ annotations: [{ url: 'https://a.test', start_index: 0, end_index: 9 }] }] },
    ]);
  });
});
