import { expect, test } from 'vitest';
import { asGatewayError, GatewayError, statusOf } from '../../src/model/errors.ts';

const thrownBy = (run: () => void): unknown => {
  try {
    run();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
};

const deep = (): void => deep();

test.each<[string, () => void, number, RegExp]>([
  ['what nests without end', deep, 400, /nested too deeply/],
  ['what is longer than a text can be', () => void 'a'.repeat(2 ** 30), 413, /longer than the 512 MB/],
  ['a fault of ours', () => void JSON.parse('{'), 500, /^unexpected failure in the gateway: /],
])('%s is told as such', (_, run, status, message) => {
  const error = asGatewayError(thrownBy(run));
  expect([statusOf(error), error.message]).toEqual([status, expect.stringMatching(message)]);
  expect(error.cause).toBeInstanceOf(Error);
});

test('an error that is one already stays as it is', () => {
  const error = new GatewayError('permission', 'no');
  expect(asGatewayError(error)).toBe(error);
});
