import { describe, expect, test } from 'vitest';
import { redacted, secret, secretOf } from '../../src/config/secrets.ts';

describe('how a secret is shown', () => {
  test.each([
    [{ value: '' }, ''],
    [{ value: 'short' }, '*****'],
    [{ value: '12345678' }, '********'],
    [{ value: 'sk-1234567890' }, `sk-1${'*'.repeat(24)}7890`],
    [{ value: 'sk-1234567890', ref: 'env.KEY' }, 'env.KEY'],
  ])('%j as %s', (given, shown) => {
    expect(redacted(given)).toBe(shown);
  });
});

test.each([
  ['plain', { value: 'plain' }],
  ['env.KEY', { value: 'k', ref: 'env.KEY' }],
  ['env.EMPTY', { value: '', ref: 'env.EMPTY', unset: true }],
  ['env.NONE', { value: '', ref: 'env.NONE', unset: true }],
])('%s stands for %j', (text, expected) => {
  expect(secretOf(text, { KEY: 'k', EMPTY: '' })).toEqual(expected);
});

test.each([
  ['text', 'text', undefined],
  [{ value: 'text' }, 'text', undefined],
  [{ value: '', env_var: 'NOBODY_SETS_THIS', from_env: true }, '', 'env.NOBODY_SETS_THIS'],
  [{ value: '', env_var: 'env.NOBODY_SETS_THIS' }, '', 'env.NOBODY_SETS_THIS'],
  [{ ref: 'NOBODY_SETS_THIS', type: 'env' }, '', 'env.NOBODY_SETS_THIS'],
  [{ ref: 'text', type: 'plain_text' }, 'text', undefined],
])('the written form %j is read', (written, value, ref) => {
  const parsed = secret.parse(written);
  expect([parsed.value, parsed.ref]).toEqual([value, ref]);
});
