import { expect, test } from 'vitest';
import { askedCompat } from '../../src/http/asked-compat.ts';
import { callerOf, wishingCompat } from '../../src/http/caller.ts';
import { COMPAT_FEATURES } from '../../src/model/compat.ts';

test.each<[header: string, asked: readonly string[]]>([
  ['true', COMPAT_FEATURES],
  ['TRUE', COMPAT_FEATURES],
  ['*', COMPAT_FEATURES],
  ['["*"]', COMPAT_FEATURES],
  ['false', []],
  ['', []],
  ['[]', []],
  ['["convert_text_to_chat"]', ['convert_text_to_chat']],
  [' ["should_drop_params", "azure_deepseek"] ', ['should_drop_params', 'azure_deepseek']],
  ['convert_text_to_chat, should_convert_params', ['convert_text_to_chat', 'should_convert_params']],
])('x-bf-compat: %s', (header, asked) => {
  expect([...askedCompat(header)]).toEqual(asked);
});

test.each<[header: string, why: RegExp]>([
  ['["convert_text_to_chats"]', /names "convert_text_to_chats", unknown here.*convert_text_to_chat/],
  ['yes', /names "yes"/],
  ['constructor', /names "constructor"/],
  ['[1]', /is no list of names/],
  ['["convert_text_to_chat"', /is no list of names/],
])('x-bf-compat: %s is refused in words that help', (header, why) => {
  expect(() => askedCompat(header)).toThrow(why);
});

test('whoever asks for nothing is the same caller as without the header', () => {
  const caller = callerOf({});
  expect(wishingCompat(caller, {})).toBe(caller);
  expect(wishingCompat(caller, { 'x-bf-compat': 'false' })).toBe(caller);
});
