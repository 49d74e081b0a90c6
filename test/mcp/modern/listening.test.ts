import { expect, test } from 'vitest';
import { Listening } from '../../../src/mcp/modern/listening.ts';

test('a server that never says whether it took a subscription does not hold its client up', async () => {
  const filters: object[] = [];
  const listening = new Listening(
    {},
    {
      listen: (filter) => {
        filters.push(filter);
        return new Promise(() => undefined);
      },
      onNotification: () => undefined,
      trouble: () => undefined,
      patienceMs: 10,
    },
  );
  await listening.subscribe('test://note');
  await listening.unsubscribe('test://note');
  expect(filters).toEqual([{ resourceSubscriptions: ['test://note'] }]);
  listening.close();
});
