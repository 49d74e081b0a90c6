import { describe, expect, test } from 'vitest';
import { AnswerAccount } from '../../src/codecs/foreign-answer.ts';
import { codecs } from '../../src/codecs/index.ts';
import { openaiResponses } from '../../src/codecs/openai-responses/index.ts';
import type { CodecId } from '../../src/model/content.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { eventsOf, foldAll } from '../../src/model/response.ts';
import { dataOf } from './openai-responses/support.ts';
import { requestOf } from './requests.ts';

// Items of the Responses API say of themselves that they were cut short, for which no other format has a word.

const OTHERS = (Object.keys(codecs) as CodecId[]).filter((id) => id !== 'openai-responses');

const MESSAGE: JsonObject = {
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  status: 'incomplete',
  content: [{ type: 'output_text', text: 'It is', annotations: [] }],
};
const CALL: JsonObject = {
  type: 'function_call',
  id: 'fc_1',
  call_id: 'call_1',
  name: 'look',
  arguments: '{}',
  status: 'incomplete',
};
const SHELL: JsonObject = {
  type: 'shell_call',
  call_id: 'call_1',
  action: { commands: ['ls'] },
  status: 'incomplete',
};
const RESULT: JsonObject = {
  type: 'shell_call_output',
  call_id: 'call_1',
  output: [{ stdout: 'a', stderr: '', outcome: { type: 'exit', exit_code: 0 } }],
  status: 'incomplete',
};
const THINKING: JsonObject = {
  type: 'reasoning',
  id: 'rs_1',
  summary: [{ type: 'summary_text', text: 'Hm' }],
  status: 'incomplete',
};

const user = (text: string): JsonObject => ({ type: 'message', role: 'user', content: text });
const asked = (...items: JsonObject[]): JsonObject => ({ model: 'm', input: [user('Hi'), ...items, user('Go on.')] });

describe.each(OTHERS)('an item that was cut short, told to %s', (id) => {
  test.each([
    ['a message', [MESSAGE]],
    ['a call', [CALL]],
    ['a call of a shell', [SHELL]],
    ['what a shell gave', [{ ...SHELL, status: 'completed' }, RESULT]],
    ['thinking', [THINKING, MESSAGE]],
  ])('stands in the ledger: %s', (_what, items) => {
    const { losses } = codecs[id].encodeRequest(requestOf(openaiResponses, asked(...items)), {
      model: 'm',
      stream: false,
    });
    const told = losses.filter(({ field }) => /\bstatus$/.test(field));
    expect(told.map(({ action }) => action)).toContain('dropped');
  });

  test.each([
    ['a message', MESSAGE],
    ['a call', CALL],
    ['thinking', THINKING],
  ])('stands in the ledger of an answer: %s', (_what, item) => {
    const body = {
      id: 'resp_1',
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      model: 'm',
    };
    const account = new AnswerAccount(id);
    for (const event of eventsOf(openaiResponses.decodeResponse({ ...body, output: [item] }))) account.see(event);
    expect(account.losses.map(({ field, action }) => `${action} ${field}`)).toEqual([
      'dropped answer.content.*.status',
    ]);
  });
});

test('an item that was cut short says so where its history is built anew in its own format', () => {
  const read = { ...openaiResponses.decodeRequest(asked(MESSAGE)), model: 'm', stream: false, fallbacks: [] };
  const { body } = openaiResponses.encodeRequest({ ...read, untouched: false }, { model: 'm', stream: false });
  expect(body.input).toMatchObject([{ role: 'user' }, { id: 'msg_1', status: 'incomplete' }, { role: 'user' }]);
});

test('and where its answer is written anew in its own format, whole and streamed', () => {
  const body: JsonObject = {
    id: 'resp_1',
    status: 'incomplete',
    incomplete_details: { reason: 'max_output_tokens' },
    model: 'm',
    output: [THINKING, CALL],
  };
  const answer = openaiResponses.decodeResponse(body);
  const head = { model: 'm', createdAtMs: 0 };
  const output = [{ id: 'rs_1' }, { id: 'fc_1', status: 'incomplete' }];
  expect(openaiResponses.encodeResponse(answer, head)).toMatchObject({ status: 'incomplete', output });
  const write = openaiResponses.encodeStream(head);
  const streamed = eventsOf(answer).map((event) => write(event));
  expect(dataOf(streamed.join('')).at(-1)?.response).toMatchObject({ status: 'incomplete', output });
});

test('and a whole one says nothing', () => {
  const whole = { ...MESSAGE, status: 'completed' };
  const account = new AnswerAccount('openai-chat');
  const answer = openaiResponses.decodeResponse({ id: 'r', status: 'completed', model: 'm', output: [whole] });
  for (const event of eventsOf(answer)) account.see(event);
  expect(account.losses).toEqual([]);
  expect(foldAll(eventsOf(answer)).parts).toMatchObject([
    { text: 'It is', origin: { block: { message: { id: 'msg_1' } } } },
  ]);
});
