import { describe, expect, test } from 'vitest';
import { httpChannel } from '../../../src/mcp/modern/http-channel.ts';
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

describe('a server that tells of changes in lines of JSON', () => {
  const told = (...lines: object[]) => {
    const body = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    const fetch = async () => new Response(body, { headers: { 'content-type': 'application/json' } });
    return httpChannel({ url: new URL('http://127.0.0.1/mcp'), headers: {}, fetch });
  };
  const request = { id: 'modern-1', method: 'subscriptions/listen', params: {} };
  const signal = new AbortController().signal;

  test('is understood', async () => {
    const heard: string[] = [];
    const changed = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };
    const channel = told(changed, changed, { jsonrpc: '2.0', id: 'modern-1', result: {} });
    const onNotification = ({ method }: { method: string }) => void heard.push(method);
    expect(await channel.exchange(request, { headers: {}, signal, onNotification })).toMatchObject({ result: {} });
    expect(heard).toEqual([changed.method, changed.method]);
  });

  test('may refuse', async () => {
    const channel = told({ jsonrpc: '2.0', id: null, error: { code: -32601, message: 'Method not found' } });
    const options = { headers: {}, signal, onNotification: () => undefined };
    expect(await channel.exchange(request, options)).toMatchObject({ id: 'modern-1', error: { code: -32601 } });
  });
});
