import { describe, expect, test } from 'vitest';
import type { Catalog } from '../../src/mcp/contract.ts';
import {
  callOf,
  clientConfig,
  firstText,
  isAlive,
  nobody,
  startedClients,
  stdioConfig,
  until,
} from '../support/mcp-clients.ts';

const started = startedClients();

const names = (catalog: Catalog) => catalog.tools.map((tool) => tool.name);

const deadConfig = (name: string) =>
  clientConfig({ name, connection_type: 'stdio', stdio_config: { command: 'no-such-command-here' } });

describe('catalog', () => {
  test('A15 H9 tools are sorted by client and then by name, whatever the order of config and server', async () => {
    const two = await started([stdioConfig('zeta'), stdioConfig('alpha')]);
    const listed = names(two.clients.catalog);
    expect(listed).toEqual([...listed].sort());
    const other = await started([stdioConfig('alpha'), stdioConfig('zeta')]);
    expect(names(other.clients.catalog)).toEqual(listed);
  });

  test('every page of a list is read', async () => {
    const { clients } = await started([stdioConfig('ref')]);
    expect(names(clients.catalog)).toEqual(expect.arrayContaining(['ref-add_tool', 'ref-structured']));
  });

  test('G10 a changed list is read again once for a burst of notices, and a new version told', async () => {
    const { clients } = await started([stdioConfig('ref')], { timing: { listChangedDebounceMs: 400 } });
    const versions: number[] = [];
    clients.onChange((catalog) => versions.push(catalog.version));
    const { version } = clients.catalog;
    await Promise.all(['one', 'two', 'three'].map((name) => clients.call(callOf('ref-add_tool', { name }))));
    await until(() => clients.catalog.byName.has('ref-three'));
    expect(versions).toEqual([version + 1]);
    expect(firstText(await clients.call(callOf('ref-two')))).toBe('extra two');
  });

  test('G10 a poll finds what no notice told', async () => {
    const { clients } = await started([stdioConfig('ref')], {
      timing: { listChangedDebounceMs: 600_000, syncIntervalMs: 30 },
    });
    await clients.call(callOf('ref-add_tool', { name: 'quiet' }));
    await until(() => clients.catalog.byName.has('ref-quiet'));
    expect(firstText(await clients.call(callOf('ref-quiet')))).toBe('extra quiet');
  });

  test('G9 a list that cannot be read again stays, and its client is unstable with the reason', async () => {
    const { clients } = await started([stdioConfig('ref')], { timing: { unstableCheckMs: 600_000 } });
    const before = clients.catalog;
    await clients.call(callOf('ref-break_list'));
    await until(() => clients.statuses()[0]?.state === 'unstable');
    expect(clients.statuses()[0]?.lastFailure).toMatchObject({
      stage: 'list_tools',
      message: expect.stringContaining('no list today'),
    });
    expect(clients.catalog).toBe(before);
    expect(firstText(await clients.call(callOf('ref-echo', { value: 'still' })))).toBe('still');
  });

  test('a server whose list stays broken is replaced by a new connection, which heals it', async () => {
    const { clients } = await started([stdioConfig('ref')]);
    const pid = clients.statuses()[0]?.pid ?? 0;
    await clients.call(callOf('ref-break_list'));
    await until(() => clients.statuses()[0]?.restarts === 1);
    expect(clients.statuses()[0]?.state).toBe('healthy');
    await until(() => !isAlive(pid));
  });
});

describe('who may use what', () => {
  const limited = stdioConfig('ref', { tools_to_execute: ['Echo', 'fail'], tools_to_auto_execute: ['echo', 'slow'] });

  test('the allow-list holds for listing and shows what it hides', async () => {
    const { clients } = await started([limited, stdioConfig('off', { tools_to_execute: [] })]);
    expect(clients.catalog.tools.map(({ name, autoExecute }) => [name, autoExecute])).toEqual([
      ['ref-echo', true],
      ['ref-fail', false],
    ]);
    expect(clients.statuses()[0]).toMatchObject({ name: 'off', tools: [] });
    expect(clients.statuses()[1]?.hiddenTools).toContain('slow');
  });

  test.each([
    [
      "the client's allow-list",
      'ref-slow',
      {},
      "tool 'ref-slow' is not permitted (not in client's ToolsToExecute allow-list)",
    ],
    [
      'the include-clients header',
      'ref-echo',
      { includeClients: ['other'] },
      "tool 'ref-echo' is not permitted (client ref is not in request-context include list)",
    ],
    [
      'the include-tools header',
      'ref-echo',
      { includeTools: ['ref-fail'] },
      "tool 'ref-echo' is not permitted (filtered by request context)",
    ],
    ['a disabled client', 'off-echo', {}, "tool 'off-echo' is not permitted (client off is disabled)"],
    ['an unknown client', 'nobody-echo', {}, "tool 'nobody-echo' is not available or not permitted"],
    ['an unknown tool', 'all-no_such', {}, "tool 'all-no_such' is not available or not permitted"],
    ['a name without client', 'echo', {}, "tool 'echo' is not available or not permitted"],
  ])('G16 %s holds at call time', async (_, name, filters, message) => {
    const { clients } = await started([limited, stdioConfig('all'), stdioConfig('off', { disabled: true })]);
    await expect(clients.call(callOf(name, {}, { caller: { ...nobody, ...filters } }))).rejects.toThrow(message);
  });

  test('G17 what a caller may not call it does not see, and the other way round', async () => {
    const { clients } = await started([limited, stdioConfig('all')]);
    const caller = { ...nobody, includeClients: ['ref', 'all'], includeTools: ['ref-*', 'all-echo'] };
    const visible = clients.visibleTools(caller).map((tool) => tool.name);
    expect(visible).toEqual(['all-echo', 'ref-echo', 'ref-fail']);
    expect(clients.visibleTools({ ...caller })).toBe(clients.visibleTools(caller));
    expect(clients.visibleTools(nobody)).toBe(clients.catalog.tools);
    for (const name of ['all-fail', 'all-echo', 'ref-slow', 'ref-fail']) {
      const called = await clients.call(callOf(name, { ms: 1 }, { caller })).then(
        () => true,
        () => false,
      );
      expect([name, called]).toEqual([name, visible.includes(name)]);
    }
  });
});

describe('administration', () => {
  test('a client is added, listed and called', async () => {
    const { clients } = await started([]);
    expect(await clients.add(stdioConfig('late', { client_id: 'id-1' }))).toMatchObject({
      id: 'id-1',
      state: 'healthy',
    });
    expect(firstText(await clients.call(callOf('late-echo', { value: 'here' })))).toBe('here');
  });

  test('a client that cannot be reached is not added, and the reason is given', async () => {
    const { clients } = await started([]);
    await expect(clients.add(deadConfig('dead'))).rejects.toThrow(
      "Failed to connect MCP client: dead: command not found: 'no-such-command-here'",
    );
    expect(clients.statuses()).toEqual([]);
    await expect(clients.add(deadConfig('dead'))).rejects.toThrow('command not found');
  });

  test('a name is given once, even to clients added at the same time', async () => {
    const { clients } = await started([stdioConfig('ref')]);
    await expect(clients.add(stdioConfig('ref'))).rejects.toMatchObject({
      kind: 'invalid-request',
      message: "MCP client with name 'ref' already exists",
    });
    const both = await Promise.allSettled([clients.add(stdioConfig('new')), clients.add(stdioConfig('new'))]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  test('a client that is added disabled is not dialled', async () => {
    const { clients } = await started([]);
    expect(await clients.add({ ...deadConfig('dead'), disabled: true })).toMatchObject({ state: 'disabled' });
  });

  test('a new name and new rules hold at once, without a new connection', async () => {
    const { clients } = await started([stdioConfig('ref', { client_id: 'id-1' })]);
    const pid = clients.statuses()[0]?.pid;
    await clients.update('id-1', { name: 'better', tools_to_execute: ['echo'] });
    expect(names(clients.catalog)).toEqual(['better-echo']);
    expect(clients.statuses()[0]).toMatchObject({ pid, restarts: 0 });
  });

  test('G11 a new name changes no id, and the rules of a tool hold on', async () => {
    const { clients } = await started([stdioConfig('ref', { tools_to_auto_execute: ['echo'] })]);
    const keysOf = () =>
      clients.catalog.tools.map(({ clientId, upstreamName, autoExecute }) => [clientId, upstreamName, autoExecute]);
    const before = keysOf();
    await clients.update(clients.statuses()[0]?.id ?? '', { name: 'better' });
    expect(clients.catalog.byName.has('better-echo')).toBe(true);
    expect(keysOf()).toEqual(before);
  });

  test('G11 a client that was given no id has the same one at every start, and another than its neighbours', async () => {
    const ids = async () => {
      const { clients } = await started(
        [stdioConfig('one'), stdioConfig('two')].map((config) => ({ ...config, disabled: true })),
      );
      return clients.statuses().map(({ id }) => id);
    };
    const [one, two] = await ids();
    expect(one).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(one).not.toBe(two);
    expect(await ids()).toEqual([one, two]);
  });

  test('what is immutable stays', async () => {
    const config = stdioConfig('ref', { client_id: 'id-1' });
    const { clients } = await started([config]);
    await clients.update('id-1', { connection_type: 'http', stdio_config: { command: 'other', args: [], envs: [] } });
    expect(clients.config('id-1')).toMatchObject({ connection_type: 'stdio', stdio_config: config.stdio_config });
  });

  test('a disabled client has no process and no tools, and comes back when enabled', async () => {
    const { clients } = await started([stdioConfig('ref', { client_id: 'id-1' })]);
    const pid = clients.statuses()[0]?.pid ?? 0;
    await clients.update('id-1', { disabled: true });
    expect(isAlive(pid)).toBe(false);
    expect(names(clients.catalog)).toEqual([]);
    await expect(clients.reconnect('id-1')).rejects.toThrow(
      'cannot reconnect a disabled MCP client: enable the client first',
    );
    expect(await clients.update('id-1', { disabled: false })).toMatchObject({ state: 'healthy' });
    expect(names(clients.catalog)).toContain('ref-echo');
  });

  test('a reconnect replaces the process only when the new one is there, and lets calls finish', async () => {
    const { clients } = await started([stdioConfig('ref', { client_id: 'id-1' })]);
    const pid = clients.statuses()[0]?.pid ?? 0;
    const running = clients.call(callOf('ref-slow', { ms: 800, value: 'finished' }));
    const reconnected = clients.reconnect('id-1');
    await expect(clients.reconnect('id-1')).rejects.toThrow('reconnect already in progress');
    expect(await reconnected).toMatchObject({ state: 'healthy', restarts: 1 });
    expect(clients.statuses()[0]?.pid).not.toBe(pid);
    expect(firstText(await running)).toBe('finished');
    await until(() => !isAlive(pid));
  });

  test('a removed client leaves nothing', async () => {
    const { clients } = await started([stdioConfig('ref', { client_id: 'id-1' })]);
    const pid = clients.statuses()[0]?.pid ?? 0;
    await clients.remove('id-1');
    expect(isAlive(pid)).toBe(false);
    expect(clients.statuses()).toEqual([]);
    expect(names(clients.catalog)).toEqual([]);
    await expect(clients.remove('id-1')).rejects.toMatchObject({ kind: 'not-found', message: 'MCP client not found' });
  });

  test('the headers that clients want of their callers are known', async () => {
    const { clients } = await started([
      stdioConfig('one', { disabled: true, allowed_extra_headers: ['X-User'] }),
      stdioConfig('two', { disabled: true, allowed_extra_headers: ['x-tenant'] }),
    ]);
    expect([...clients.allowedExtraHeaders]).toEqual(['x-user', 'x-tenant']);
  });
});
