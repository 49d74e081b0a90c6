import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormPayload, formBeginning } from '../../../src/codecs/operations/form.ts';
import { readOperation } from '../../../src/codecs/operations/read-operation.ts';

const TYPE = 'multipart/form-data; boundary=edge';

const part = (head: string, value: string | Buffer): Buffer =>
  Buffer.concat([Buffer.from(`--edge\r\n${head}\r\n\r\n`), Buffer.from(value), Buffer.from('\r\n')]);

const field = (name: string, value: string) => part(`Content-Disposition: form-data; name="${name}"`, value);
const file = (name: string, bytes: Buffer) =>
  part(`Content-Disposition: form-data; name="${name}"; filename="a \\"b\\".png"\r\nContent-Type: image/png`, bytes);
const form = (...parts: readonly Buffer[]): Buffer => Buffer.concat([...parts, Buffer.from('--edge--\r\n')]);

const read = (bytes: Buffer, contentType = TYPE) =>
  readOperation({ kind: 'image_edit', format: 'openai', contentType, bytes });

describe('a form', () => {
  test('tells its fields and its files', () => {
    const bytes = form(
      field('model', 'openai/x'),
      field('tags[]', 'a'),
      field('tags[]', 'b'),
      file('image[]', Buffer.from([0, 1])),
    );
    const payload = new FormPayload(TYPE, bytes);
    expect(payload.fields).toEqual({ model: 'openai/x', tags: ['a', 'b'] });
    expect(payload.files).toMatchObject([{ field: 'image', mediaType: 'image/png', bytes: Buffer.from([0, 1]) }]);
  });

  test('travels as it came, but for the model and what is for the gateway only', () => {
    const picture = file('image', Buffer.from('\r\n--edg\r\n--edge inside? no: this line begins elsewhere'));
    const bytes = form(field('fallbacks', 'gemini/y'), field('model', 'openai/x'), picture, field('future', '1.0'));
    const asked = read(bytes);
    expect(asked).toMatchObject({ model: 'openai/x', fallbacks: ['gemini/y'], stream: false });
    const sent = Buffer.from(asked.payload.withModel('x'));
    expect(sent.toString('latin1')).toBe(form(field('model', 'x'), picture, field('future', '1.0')).toString('latin1'));
  });

  test.each([
    ['one a field', [field('fallbacks', 'a/b'), field('fallbacks', 'c/d')]],
    ['a list of fields', [field('fallbacks[]', 'a/b'), field('fallbacks[]', 'c/d')]],
    ['JSON', [field('fallbacks', '["a/b", "c/d", 7]')]],
    ['a line', [field('fallbacks', 'a/b, c/d, nothing')]],
  ])('names its fallbacks as %s', (_how, fields) => {
    expect(read(form(field('model', 'm'), ...fields)).fallbacks).toEqual(['a/b', 'c/d']);
  });

  test('streams where it says so', () => {
    expect(read(form(field('model', 'm'), field('stream', 'true'))).stream).toBe(true);
  });

  test('may quote its boundary, and name its fields without quotes', () => {
    const bytes = Buffer.from('--a b\r\ncontent-disposition: form-data; name=model\r\n\r\nm\r\n--a b--');
    expect(read(bytes, 'Multipart/Form-Data; boundary="a b"').model).toBe('m');
  });

  test.each<[string, Buffer, string]>([
    ['no boundary in its type', form(), 'multipart/form-data'],
    ['no end', Buffer.from('--edge\r\ncontent-disposition: form-data; name="model"\r\n\r\nx'), TYPE],
    ['nothing in it', Buffer.alloc(0), TYPE],
    ['a part without a name', form(part('Content-Disposition: form-data', 'x')), TYPE],
    ['a part without headers', Buffer.from('--edge\r\nx\r\n--edge--'), TYPE],
    ['no model', form(field('prompt', 'x')), TYPE],
  ])('with %s is refused', (_what, bytes, contentType) => {
    expect(() => read(bytes, contentType)).toThrow(/not a valid form|model is required/);
  });

  test('of any bytes keeps them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const content = Buffer.from(bytes);
        if (content.includes('--edge')) return;
        const given = form(field('model', 'openai/x'), file('image', content));
        const sent = new FormPayload(TYPE, Buffer.from(new FormPayload(TYPE, given).withModel('y')));
        expect(sent.fields.model).toBe('y');
        expect(Buffer.from(sent.files[0]?.bytes ?? [])).toEqual(content);
      }),
    );
  });
});

describe('how a form begins', () => {
  const given = form(field('provider', 'openai'), field('purpose', 'batch'), file('file', Buffer.from('one\ntwo')));
  const fileAt = given.indexOf('one');

  test('is seen with its first file, wherever it was cut', () => {
    const { length } = field('provider', 'openai');
    for (let cut = 0; cut <= given.length; cut++) {
      const beginning = formBeginning(TYPE, given.subarray(0, cut));
      if (cut < fileAt) {
        expect(beginning, `cut at ${cut}`).toBeUndefined();
        continue;
      }
      expect(beginning).toMatchObject({
        fields: { provider: 'openai', purpose: 'batch' },
        file: { field: 'file', mediaType: 'image/png' },
      });
      expect(beginning?.bytes.toString()).toBe(given.subarray(length, cut).toString());
    }
  });

  test('is unknown of a form without files, and refused where it is none', () => {
    expect(formBeginning(TYPE, form(field('purpose', 'batch')))).toBeUndefined();
    const broken = Buffer.from('--edge\r\nx\r\n--edge\r\ny\r\n\r\n');
    expect(() => formBeginning(TYPE, broken)).toThrow(/not a valid form: a part of it has no name/);
  });
});
