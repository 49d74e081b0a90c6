import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, test } from 'vitest';
import { isPermanent } from '../../src/mcp/failures.ts';
import {
  type Life,
  type LifecycleEvent,
  NEW_LIFE,
  nextLife,
  nextLookMs,
  type Standing,
} from '../../src/mcp/lifecycle.ts';
import { backoffMs, DEFAULT_TIMING } from '../../src/mcp/timing.ts';
import { GatewayError } from '../../src/model/errors.ts';

const failure = { stage: 'connect', message: 'no', at: '2026-01-01T00:00:00.000Z' };

const EVENTS = {
  connected: { type: 'connected' },
  'check passed': { type: 'check-passed' },
  'manifest read': { type: 'manifest-read' },
  'call answered': { type: 'call-answered' },
  'check failed': { type: 'check-failed', failure },
  'dial failed': { type: 'dial-failed', failure, isPermanent: false },
  'dial refused': { type: 'dial-failed', failure, isPermanent: true },
  lost: { type: 'connection-lost', failure, wasStable: false },
  'lost after long': { type: 'connection-lost', failure, wasStable: true },
  'credential refused': { type: 'credential-refused', failure },
  'login awaited': { type: 'verification-awaited', failure },
  'credential renewed': { type: 'credential-renewed' },
} satisfies Record<string, LifecycleEvent>;

type EventName = keyof typeof EVENTS;

const lifeAfter = (...events: EventName[]): Life =>
  events.reduce((life, name) => nextLife(life, EVENTS[name]), NEW_LIFE);

describe('what events make of the state', () => {
  test.each<[EventName[], Life['state'], number]>([
    [[], 'unstable', 0],
    [['connected'], 'healthy', 0],
    [['manifest read'], 'healthy', 0],
    [['dial failed'], 'unstable', 1],
    [['dial failed', 'dial failed'], 'unstable', 2],
    [['dial refused'], 'error', 1],
    [['dial refused', 'dial failed'], 'unstable', 2],
    [['dial refused', 'connected'], 'healthy', 1],
    [['connected', 'dial refused'], 'unstable', 1],
    [['manifest read', 'dial refused'], 'unstable', 1],
    [['connected', 'check failed'], 'unstable', 0],
    [['connected', 'check failed', 'check passed'], 'healthy', 0],
    [['connected', 'check failed', 'connected'], 'healthy', 0],
    [['connected', 'lost'], 'unstable', 1],
    [['connected', 'lost', 'connected', 'lost'], 'unstable', 2],
    [['connected', 'lost', 'connected', 'call answered', 'lost'], 'unstable', 1],
    [['connected', 'lost', 'connected', 'check passed', 'lost'], 'unstable', 1],
    [['connected', 'lost', 'connected', 'lost after long'], 'unstable', 1],
    [['credential refused'], 'needs_reauth', 0],
    [['connected', 'credential refused'], 'needs_reauth', 0],
    [['credential refused', 'lost'], 'needs_reauth', 1],
    [['credential refused', 'dial failed'], 'needs_reauth', 1],
    [['credential refused', 'check failed'], 'needs_reauth', 0],
    [['credential refused', 'credential renewed'], 'unstable', 0],
    [['credential refused', 'connected'], 'healthy', 0],
    [['login awaited'], 'pending_verification', 0],
    [['login awaited', 'dial refused'], 'pending_verification', 1],
    [['login awaited', 'credential renewed'], 'unstable', 0],
    [['login awaited', 'credential renewed', 'connected'], 'healthy', 0],
  ])('%j', (events, state, attempts) => {
    expect(lifeAfter(...events)).toMatchObject({ state, attempts });
  });

  test('a failure says since when there is trouble, and a healthy time ends that', () => {
    const at = (hour: number) => ({ ...failure, at: `2026-01-01T0${hour}:00:00.000Z` });
    let life = nextLife(NEW_LIFE, { type: 'connected' });
    life = nextLife(life, { type: 'check-failed', failure: at(1) });
    life = nextLife(life, { type: 'dial-failed', failure: at(2), isPermanent: false });
    expect(life.lastFailure).toEqual({ ...at(2), since: at(1).at });
    life = nextLife(nextLife(life, { type: 'connected' }), { type: 'check-failed', failure: at(3) });
    expect(life.lastFailure).toEqual({ ...at(3), since: at(3).at });
  });
});

describe('when a client is looked at next', () => {
  const healthy = lifeAfter('connected');
  const lost = (times: number): Life => ({ ...lifeAfter('connected', 'lost'), attempts: times });
  const next = (life: Life, more: Partial<Standing> = {}) =>
    nextLookMs(
      { life, isReachable: false, isProcess: false, syncIntervalMs: undefined, ...more },
      DEFAULT_TIMING,
      () => 0.5,
    );

  test.each<[string, Life, Partial<Standing>, number | undefined]>([
    ['healthy', healthy, { isReachable: true }, 600_000],
    ['healthy, with an interval of its own', healthy, { isReachable: true, syncIntervalMs: 60_000 }, 60_000],
    ['healthy, checks turned off', healthy, { isReachable: true, syncIntervalMs: -1 }, undefined],
    ['unstable', lifeAfter('connected', 'check failed'), { isReachable: true, syncIntervalMs: -1 }, 10_000],
    ['not yet dialled', NEW_LIFE, {}, 1_000],
    ['lost for the first time', lost(1), {}, 1_000],
    ['lost for the second time', lost(2), {}, 2_000],
    ['lost for the third time', lost(3), {}, 4_000],
    ['lost for the fifth time', lost(5), {}, 16_000],
    ['after five retries', lost(6), {}, 10_000],
    ['a process after five retries', lost(6), { isProcess: true }, 30_000],
    ['a process lost for long', lost(60), { isProcess: true }, 30_000],
    ['refused for good', lifeAfter('dial refused'), {}, 60_000],
    ['resting', healthy, { isProcess: true, restsForMs: 5_000 }, 5_000],
    ['waiting for a login', lifeAfter('credential refused'), {}, undefined],
    ['waiting for the first login', lifeAfter('login awaited'), { isReachable: true }, undefined],
  ])('%s', (_, life, more, expected) => {
    expect(next(life, more)).toBe(expected);
  });

  test('the backoff has 20 % of jitter', () => {
    expect([0, 1].map((random) => backoffMs(0, DEFAULT_TIMING, () => random))).toEqual([800, 1_200]);
  });
});

describe('which failures are permanent', () => {
  const status = (code: number) => new StreamableHTTPError(code, 'refused');
  const withCode = (code: string) => Object.assign(new Error('spawn failed'), { code });

  test.each<[string, unknown, boolean]>([
    ...[400, 401, 403, 404, 405, 422].map((code): [string, unknown, boolean] => [`HTTP ${code}`, status(code), true]),
    ...[408, 429, 500, 502, 503].map((code): [string, unknown, boolean] => [`HTTP ${code}`, status(code), false]),
    ['unusable config', new GatewayError('invalid-request', 'environment variable X is not set'), true],
    ['no such command', withCode('ENOENT'), true],
    ['no permission', withCode('EACCES'), true],
    ['unauthorized', new Error('Unauthorized'), true],
    ['forbidden', new Error('the server said: Forbidden'), true],
    ['not found', new Error('npm error: package not found'), true],
    ['no such file', new Error('sh: no such file or directory'), true],
    ['permission denied', new Error('permission denied'), true],
    ['a timeout', new Error('MCP error -32001: Request timed out'), true],
    ['a deadline', new Error('context deadline exceeded'), true],
    ['a status within the text', new Error('the proxy answered 403'), true],
    ['a number that is none', new Error('line 14033'), false],
    ['a refused connection', withCode('ECONNREFUSED'), false],
    ['anything unknown', new Error('the server exited with code 1'), false],
  ])('%s', (_, thrown, permanent) => {
    expect(isPermanent(thrown)).toBe(permanent);
  });
});
