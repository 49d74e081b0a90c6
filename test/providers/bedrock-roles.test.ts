import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Gateway, post, startGatewayHere } from '../support/gateway.ts';
import { json, type ReceivedRequest, startUpstream, type Upstream } from '../support/upstream.ts';
import { wireAnswers } from '../support/wire-answers.ts';

// Roles are assumed through AWS's own SDK, which finds the double of STS by the variable that AWS has for it.

interface RoleAsked {
  readonly form: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

let sts: Server;
let upstream: Upstream;
let roles: RoleAsked[];
let grants: (count: number) => { readonly status: number; readonly xml: string };
const gateways: Gateway[] = [];
const before = process.env.AWS_ENDPOINT_URL_STS;

beforeAll(async () => {
  upstream = await startUpstream();
  sts = createServer(async (request, response) => {
    let text = '';
    for await (const piece of request) text += String(piece);
    roles.push({ form: new URLSearchParams(text), headers: request.headers });
    const { status, xml } = grants(roles.length);
    response.writeHead(status, { 'content-type': 'text/xml' }).end(xml);
  });
  await new Promise<void>((resolve) => sts.listen(0, '127.0.0.1', resolve));
  // a listening TCP server has an address
  const { port } = sts.address() as AddressInfo;
  process.env.AWS_ENDPOINT_URL_STS = `http://127.0.0.1:${port}`;
});

afterAll(async () => {
  if (before === undefined) delete process.env.AWS_ENDPOINT_URL_STS;
  else process.env.AWS_ENDPOINT_URL_STS = before;
  sts.closeAllConnections();
  await new Promise((resolve) => sts.close(resolve));
  await upstream.close();
});

afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.stop();
});

const ROLE = 'arn:aws:iam::123456789012:role/models';

const granted = (count: number, livesMs = 3_600_000) => ({
  status: 200,
  xml: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
    <Credentials><AccessKeyId>ASIAROLE${count}</AccessKeyId><SecretAccessKey>role-secret-${count}</SecretAccessKey>
    <SessionToken>role-session-${count}</SessionToken>
    <Expiration>${new Date(Date.now() + livesMs).toISOString()}</Expiration></Credentials>
    <AssumedRoleUser><Arn>${ROLE}/x</Arn><AssumedRoleId>AROA:x</AssumedRoleId></AssumedRoleUser>
    </AssumeRoleResult></AssumeRoleResponse>`,
});

const refused = {
  status: 403,
  xml: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
    <Code>AccessDenied</Code><Message>User is not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>`,
};

async function gatewayWith(name: 'bedrock' | 'bedrock_mantle', more: object = {}): Promise<Gateway> {
  roles = [];
  const config = {
    access_key: 'AKIAMASTER',
    secret_key: 'master-secret',
    region: 'eu-west-1',
    role_arn: ROLE,
    external_id: 'ext-7',
    session_name: 'gateway-1',
    ...more,
  };
  const gateway = await startGatewayHere({
    providers: {
      [name]: {
        keys: [{ name: 'role', models: ['*'], weight: 1, bedrock_key_config: config }],
        network_config: { base_url: upstream.url },
      },
    },
  });
  gateways.push(gateway);
  return gateway;
}

const ask = ({ url }: Gateway, model: string) =>
  post(`${url}/v1/chat/completions`, { model, messages: [{ role: 'user', content: 'Hi' }] });

const answerOf = (format: string) => json(wireAnswers.find((wire) => wire.format === format)?.whole);
const NOVA = 'bedrock/amazon.nova-pro-v1:0';
const said = () => upstream.requests.at(-1)?.headers ?? {};

describe('a role that a key names', () => {
  test('is assumed with the key’s credentials, and signs the request', async () => {
    grants = granted;
    const gateway = await gatewayWith('bedrock');
    upstream.answers(answerOf('bedrock-converse'));
    expect((await ask(gateway, NOVA)).status).toBe(200);
    expect(Object.fromEntries(roles[0]?.form ?? [])).toMatchObject({
      Action: 'AssumeRole',
      RoleArn: ROLE,
      RoleSessionName: 'gateway-1',
      ExternalId: 'ext-7',
    });
    expect(roles[0]?.headers.authorization).toContain('Credential=AKIAMASTER/');
    expect(roles[0]?.headers.authorization).toContain('/eu-west-1/sts/');
    expect(said().authorization).toMatch(/Credential=ASIAROLE1\/\d{8}\/eu-west-1\/bedrock\/aws4_request/);
    expect(said()['x-amz-security-token']).toBe('role-session-1');
  });

  test('has a session name of its own where none is given', async () => {
    grants = granted;
    const gateway = await gatewayWith('bedrock', { session_name: undefined, external_id: undefined });
    upstream.answers(answerOf('bedrock-converse'));
    await ask(gateway, NOVA);
    expect(roles[0]?.form.get('RoleSessionName')).toBe('bifrost-session');
    expect(roles[0]?.form.has('ExternalId')).toBe(false);
  });

  test('is assumed once for many requests, also at the same time', async () => {
    grants = granted;
    const gateway = await gatewayWith('bedrock');
    upstream.answers(...Array.from({ length: 6 }, () => answerOf('bedrock-converse')));
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => ask(gateway, NOVA)));
    answers.push(await ask(gateway, NOVA));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(roles).toHaveLength(1);
  });

  test('is assumed anew once its credentials have ended', async () => {
    grants = (count) => granted(count, count === 1 ? 1_000 : 3_600_000);
    const gateway = await gatewayWith('bedrock');
    upstream.answers(answerOf('bedrock-converse'), answerOf('bedrock-converse'));
    await ask(gateway, NOVA);
    await ask(gateway, NOVA);
    expect(roles).toHaveLength(2);
    expect(said().authorization).toContain('Credential=ASIAROLE2/');
  });

  test('that is refused is said in words, without a secret, and asked for again by the next request', async () => {
    grants = (count) => (count === 1 ? refused : granted(count));
    const gateway = await gatewayWith('bedrock');
    const answer = await ask(gateway, NOVA);
    const text = await answer.text();
    expect([answer.status, JSON.parse(text).error.message]).toEqual([
      401,
      expect.stringMatching(/bedrock .*not authorized to perform: sts:AssumeRole/),
    ]);
    expect(`${text}${gateway.output()}`).not.toMatch(/master-secret|role-secret/);
    upstream.answers(answerOf('bedrock-converse'));
    expect((await ask(gateway, NOVA)).status).toBe(200);
  });

  test('serves Claude in its own format too', async () => {
    grants = granted;
    const gateway = await gatewayWith('bedrock');
    upstream.answers(answerOf('anthropic-messages'));
    expect((await ask(gateway, 'bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0')).status).toBe(200);
    expect(said().authorization).toContain('Credential=ASIAROLE1/');
  });
});

describe('a key that holds no credentials', () => {
  let folder: string;
  const variables = {
    AWS_ROLE_ARN: ROLE,
    AWS_WEB_IDENTITY_TOKEN_FILE: '',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
  const earlier = new Map<string, string | undefined>();

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'bifrost-identity-'));
    variables.AWS_WEB_IDENTITY_TOKEN_FILE = join(folder, 'token');
    writeFileSync(variables.AWS_WEB_IDENTITY_TOKEN_FILE, 'token-of-the-machine');
    for (const [name, value] of Object.entries(variables)) {
      earlier.set(name, process.env[name]);
      process.env[name] = value;
    }
  });

  afterAll(() => {
    for (const [name, value] of earlier) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    rmSync(folder, { recursive: true });
  });

  const none = { access_key: undefined, secret_key: undefined };

  const byToken = (count: number) => {
    const { status, xml } = granted(count);
    return { status, xml: xml.replaceAll('AssumeRole', 'AssumeRoleWithWebIdentity') };
  };

  test('goes as the machine says: by the token of a workload', async () => {
    grants = byToken;
    const gateway = await gatewayWith('bedrock', { ...none, role_arn: undefined });
    upstream.answers(answerOf('bedrock-converse'));
    expect((await ask(gateway, NOVA)).status).toBe(200);
    expect(roles[0]?.form.get('Action')).toBe('AssumeRoleWithWebIdentity');
    expect(roles[0]?.form.get('WebIdentityToken')).toBe('token-of-the-machine');
    expect(said().authorization).toContain('Credential=ASIAROLE1/');
  });

  test('assumes its role as the machine', async () => {
    grants = (count) => (count === 1 ? byToken(count) : granted(count));
    const gateway = await gatewayWith('bedrock', none);
    upstream.answers(answerOf('bedrock-converse'));
    expect((await ask(gateway, NOVA)).status).toBe(200);
    expect(roles.map(({ form }) => form.get('Action'))).toEqual(['AssumeRoleWithWebIdentity', 'AssumeRole']);
    expect(roles[1]?.headers.authorization).toContain('Credential=ASIAROLE1/');
    expect(said().authorization).toContain('Credential=ASIAROLE2/');
  });
});

describe('Bedrock’s newer endpoint', () => {
  test('signs for Claude with the role', async () => {
    grants = granted;
    const gateway = await gatewayWith('bedrock_mantle');
    upstream.answers(answerOf('anthropic-messages'));
    expect((await ask(gateway, 'bedrock_mantle/anthropic.claude-sonnet-4-5')).status).toBe(200);
    expect(upstream.requests.at(-1)?.path).toBe('/anthropic/v1/messages');
    expect(said().authorization).toMatch(/Credential=ASIAROLE1\/\d{8}\/eu-west-1\/bedrock-mantle\/aws4_request/);
    expect(said()['x-amz-security-token']).toBe('role-session-1');
  });

  /** What AWS would compute of the request as it came (AWS, Signature Version 4). */
  const signatureOf = ({ method, path, headers, body }: ReceivedRequest, secret: string): string => {
    const [, scope = '', names = ''] =
      /Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+)/.exec(headers.authorization ?? '') ?? [];
    const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
    const signedHeaders = names.split(';').map((name) => `${name}:${headers[name]}\n`);
    const canonical = [method, path, '', signedHeaders.join(''), names, sha256(body)].join('\n');
    const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
    const key = scope
      .split('/')
      .reduce<string | Buffer>((under, part) => createHmac('sha256', under).update(part).digest(), `AWS4${secret}`);
    return createHmac('sha256', key).update(toSign).digest('hex');
  };

  test.each([
    ['openai-chat', '/v1/chat/completions', { messages: [{ role: 'user', content: 'Grüße' }] }],
    ['openai-responses', '/v1/responses', { input: 'Grüße' }],
  ])('signs for %s, with the role or with the key’s own credentials', async (format, path, body) => {
    grants = granted;
    const ours = { role_arn: undefined, external_id: undefined, session_token: 'session-1' };
    for (const [more, secret, id] of [
      [{}, 'role-secret-1', 'ASIAROLE1'],
      [ours, 'master-secret', 'AKIAMASTER'],
    ] as const) {
      const gateway = await gatewayWith('bedrock_mantle', more);
      upstream.answers(answerOf(format));
      const answer = await post(`${gateway.url}${path}`, { model: 'bedrock_mantle/openai.gpt-oss-120b', ...body });
      expect(answer.status).toBe(200);
      const request = upstream.requests.at(-1);
      if (!request) throw new Error('nothing was asked');
      expect(request.path).toBe(path);
      expect(said().authorization).toContain(`Credential=${id}/`);
      expect(said().authorization).toMatch(/\d{8}\/eu-west-1\/bedrock-mantle\/aws4_request/);
      expect(said().authorization?.split('Signature=')[1]).toBe(signatureOf(request, secret));
      expect(said()['x-amz-security-token']).toBe(id === 'ASIAROLE1' ? 'role-session-1' : 'session-1');
      expect(JSON.stringify(said())).not.toContain(secret);
    }
  });

  test('a role that is refused is an error of credentials in every format', async () => {
    grants = () => refused;
    const gateway = await gatewayWith('bedrock_mantle');
    const answer = await ask(gateway, 'bedrock_mantle/openai.gpt-oss-120b');
    expect(answer.status).toBe(401);
    expect(await answer.text()).toContain('has no AWS credentials');
  });

  const withKey = async () => {
    const gateway = await startGatewayHere({
      providers: {
        bedrock_mantle: {
          keys: [
            {
              name: 'k',
              value: 'bedrock-api-key-1',
              models: ['*'],
              weight: 1,
              bedrock_mantle_key_config: { region: 'us-east-2' },
            },
          ],
          network_config: { base_url: upstream.url },
        },
      },
    });
    gateways.push(gateway);
    return gateway;
  };

  test('takes an API key for every format it serves', async () => {
    const gateway = await withKey();
    upstream.answers(answerOf('openai-chat'), answerOf('openai-responses'), answerOf('anthropic-messages'));
    expect((await ask(gateway, 'bedrock_mantle/openai.gpt-oss-120b')).status).toBe(200);
    expect([upstream.requests.at(-1)?.path, said().authorization]).toEqual([
      '/v1/chat/completions',
      'Bearer bedrock-api-key-1',
    ]);
    const responses = { model: 'bedrock_mantle/openai.gpt-oss-120b', input: 'Hi' };
    expect((await post(`${gateway.url}/v1/responses`, responses)).status).toBe(200);
    expect([upstream.requests.at(-1)?.path, said().authorization]).toEqual([
      '/v1/responses',
      'Bearer bedrock-api-key-1',
    ]);
    expect((await ask(gateway, 'bedrock_mantle/anthropic.claude-sonnet-4-5')).status).toBe(200);
    expect(upstream.requests.at(-1)?.path).toBe('/anthropic/v1/messages');
    expect(JSON.stringify(said())).toContain('bedrock-api-key-1');
    expect(JSON.stringify(said())).not.toContain('AWS4-HMAC');
  });

  test('streams in each', async () => {
    const gateway = await withKey();
    for (const [model, format] of [
      ['openai.gpt-oss-120b', 'openai-chat'],
      ['anthropic.claude-sonnet-4-5', 'anthropic-messages'],
    ] as const) {
      const stream = wireAnswers.find((wire) => wire.format === format)?.stream ?? [];
      upstream.answers((response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).end(Buffer.concat([...stream]));
      });
      const body = { model: `bedrock_mantle/${model}`, stream: true, messages: [{ role: 'user', content: 'Hi' }] };
      const text = await (await post(`${gateway.url}/v1/chat/completions`, body)).text();
      expect(text).toMatch(/"fi".*"ne".*\[DONE\]/s);
    }
  });

  test('keeps a refusal’s status in its OpenAI formats', async () => {
    grants = granted;
    const gateway = await gatewayWith('bedrock_mantle');
    upstream.answers(json({ error: { message: 'no key', type: 'x' } }, { status: 401 }));
    const answer = await ask(gateway, 'bedrock_mantle/openai.gpt-oss-120b');
    expect(answer.status).toBe(401);
  });
});
