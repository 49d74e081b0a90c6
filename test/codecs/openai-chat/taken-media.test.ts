import { describe, expect, test } from 'vitest';
import { anthropicMessages } from '../../../src/codecs/anthropic-messages/index.ts';
import type { EncodeTarget } from '../../../src/codecs/codec.ts';
import { gemini } from '../../../src/codecs/gemini/index.ts';
import { openaiChat } from '../../../src/codecs/openai-chat/index.ts';
import { isObject, type JsonObject } from '../../../src/model/json.ts';
import { requestOf } from '../requests.ts';

const PNG = 'iVBORw0KGgo=';
const PDF = 'JVBERi0xLjQK';
const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } };
const document = {
  type: 'document',
  source: { type: 'base64', media_type: 'application/pdf', data: PDF },
  title: 'a.pdf',
};

/** What an agent sends after it has read a picture and a document. */
const READ: JsonObject = {
  model: 'm',
  max_tokens: 10,
  messages: [
    { role: 'user', content: [{ type: 'text', text: 'Look.' }, image, document] },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'Read', input: {} }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: [image, document] }] },
  ],
};

function encoded(target: Partial<EncodeTarget>) {
  const request = requestOf(anthropicMessages, READ);
  const { body, losses } = openaiChat.encodeRequest(request, { model: 'm', stream: false, ...target });
  const messages = Array.isArray(body.messages) ? body.messages.filter(isObject) : [];
  return { messages, fields: losses.filter(({ action }) => action === 'dropped').map(({ field }) => field) };
}

const partsOf = (message: JsonObject | undefined): unknown[] =>
  Array.isArray(message?.content) ? message.content.filter(isObject).map((part) => part.text ?? part.type) : [];

describe('pictures and documents of agents', () => {
  test('are shown to a model that sees', () => {
    const { messages } = encoded({ vision: true });
    expect(partsOf(messages[0])).toEqual(['Look.', 'image_url', 'file']);
    expect(partsOf(messages.at(-1)).filter((part) => !String(part).startsWith('Attach'))).toEqual([
      'image_url',
      'file',
    ]);
  });

  test('are words where the model reads text only, also in what a tool gave, and the ledger says so', () => {
    const { messages, fields } = encoded({ vision: false });
    const words = ['[image left out: this model reads text only]', '[file a.pdf left out: this model reads text only]'];
    expect(messages[0]?.content).toEqual(['Look.', ...words].map((text) => ({ type: 'text', text })));
    expect(messages.at(-1)).toMatchObject({ role: 'tool', tool_call_id: 'toolu_1', content: words.join('\n') });
    expect(fields).toContain('messages.*.content.*');
  });

  test('lose the documents alone where a provider takes pictures and no files', () => {
    const { messages } = encoded({ files: 'none' });
    expect(partsOf(messages[0])).toEqual(['Look.', 'image_url', '[file a.pdf left out: this provider takes no files]']);
    expect(messages.find(({ role }) => role === 'tool')?.content).toContain('[file a.pdf left out');
  });

  test('and sounds are words where a provider takes none', () => {
    const audio = { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } };
    const request = requestOf(gemini, {
      model: 'm',
      contents: [{ role: 'user', parts: [{ inlineData: { mimeType: 'audio/wav', data: 'UklGRg==' } }] }],
    });
    const taken = openaiChat.encodeRequest(request, { model: 'm', stream: false });
    expect(taken.body.messages).toEqual([{ role: 'user', content: [audio] }]);
    const refused = openaiChat.encodeRequest(request, { model: 'm', stream: false, sound: false });
    expect(JSON.stringify(refused.body.messages)).toContain('[audio left out: this provider takes no sound]');
  });

  test('are documents by URL where a provider has them so', () => {
    const { messages, fields } = encoded({ files: 'document_url' });
    const url = `data:application/pdf;base64,${PDF}`;
    expect(messages[0]).toMatchObject({
      content: [{}, {}, { type: 'document_url', document_url: url, document_name: 'a.pdf' }],
    });
    expect(fields).toEqual([]);
  });
});

test('what a client of the same format sends is its own affair', () => {
  const content = [{ type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }];
  const request = requestOf(openaiChat, { model: 'm', messages: [{ role: 'user', content }] });
  const { body } = openaiChat.encodeRequest(request, { model: 'm', stream: false, vision: false });
  expect(body.messages).toEqual([{ role: 'user', content }]);
});
