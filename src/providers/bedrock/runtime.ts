import {
  BedrockRuntimeClient,
  type BedrockRuntimeClientConfig,
  ConverseCommand,
  type ConverseCommandOutput,
  ConverseStreamCommand,
  CountTokensCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { enclosed } from '../../codecs/bedrock-invoke/body.ts';
import { GatewayError } from '../../model/errors.ts';
import { asDirectResponse, type DirectResponse } from '../direct-response.ts';
import type { Fetch } from '../fetch.ts';
import type { Upstream, UpstreamCall, UpstreamTarget } from '../upstream.ts';
import { awsFailure, silenceSdk } from './aws-sdk.ts';
import { awsCredentials } from './credentials.ts';
import { anthropicAnswer, anthropicCount, converseAnswer } from './reframed.ts';

/** What is asked for, with the bytes as they shall travel. */
interface Sent {
  readonly verb: Verb;
  readonly modelId: string;
  readonly body: Uint8Array | undefined;
  /** Another path than the command's own, at another host of the same region. */
  readonly controlPath?: string;
}

type Verb = 'converse' | 'converse-stream' | 'invoke' | 'invoke-with-response-stream' | 'count-tokens';

const STREAMS: ReadonlySet<Verb> = new Set<Verb>(['converse-stream', 'invoke-with-response-stream']);

const ANTHROPIC_BETA = 'anthropic-beta';

/**
 * Bedrock behind AWS's own SDK, which owns its URLs and its signatures. Bodies and answers pass by the SDK: it would
 * drop every field that it does not know.
 */
export function openBedrock(target: UpstreamTarget, fetch: Fetch): Upstream {
  const client = new BedrockRuntimeClient(configOf(target));
  const line = { client, target, fetch };
  return {
    async post(path, body, call) {
      const bytes = typeof body === 'string' ? Buffer.from(body) : body;
      if (path === '/v1/messages') return anthropicAnswer(await invoke(bytes, call, line));
      if (path === '/v1/messages/count_tokens') return anthropicCount(await countTokens(bytes, call, line));
      const { verb, modelId } = pathOf(path);
      return converseAnswer(await send({ verb, modelId, body: bytes }, call, line));
    },
    get: (path, call) =>
      // signed like any other request; no command of this SDK lists models
      send({ verb: 'converse', modelId: 'none', body: undefined, controlPath: path }, call, line),
  };
}

function configOf(target: UpstreamTarget): BedrockRuntimeClientConfig {
  silenceSdk();
  const { apiKey, baseUrl, cloud, identity } = target;
  const region = cloud?.region ?? 'us-east-1';
  return {
    region,
    ...(baseUrl !== '' && { endpoint: baseUrl }),
    maxAttempts: 1,
    requestHandler: HTTP_1,
    // Given, so that the SDK does not choose by what the environment holds
    ...(apiKey === undefined
      ? {
          credentials: awsCredentials(identity?.type === 'aws' ? identity : { type: 'aws' }, region),
          authSchemePreference: ['sigv4'],
        }
      : { token: async () => ({ token: apiKey }), authSchemePreference: ['httpBearerAuth'] }),
  };
}

/** Never asked: our fetch carries what the SDK has made. It says only that requests are signed for HTTP/1.1. */
const HTTP_1: NonNullable<BedrockRuntimeClientConfig['requestHandler']> = {
  metadata: { handlerProtocol: 'http/1.1' },
  handle: () => Promise.reject(new GatewayError('internal', 'a request went past the middleware that carries it')),
};

interface Line {
  readonly client: BedrockRuntimeClient;
  readonly target: UpstreamTarget;
  readonly fetch: Fetch;
}

/** Anthropic's own request in Bedrock's envelope: the model in the path, version and betas in the body. */
function invoke(bytes: Uint8Array, call: UpstreamCall, line: Line): Promise<DirectResponse> {
  const { given, headers } = envelopeOf(bytes, call);
  const verb = given.stream ? 'invoke-with-response-stream' : 'invoke';
  return send({ verb, modelId: given.model, body: given.bytes }, { ...call, headers }, line);
}

/** The same request in an envelope once more, to be counted. */
function countTokens(bytes: Uint8Array, call: UpstreamCall, line: Line): Promise<DirectResponse> {
  const { given, headers } = envelopeOf(bytes, call);
  const body = JSON.stringify({ input: { invokeModel: { body: given.bytes.toString('base64') } } });
  return send({ verb: 'count-tokens', modelId: given.model, body: Buffer.from(body) }, { ...call, headers }, line);
}

function envelopeOf(bytes: Uint8Array, call: UpstreamCall) {
  const { [ANTHROPIC_BETA]: betas, 'anthropic-version': _inTheBody, ...headers } = call.headers;
  const flags = betas?.split(',').map((flag) => flag.trim()) ?? [];
  const given = enclosed(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), flags);
  return { given, headers };
}

const PATH = /^\/model\/([^/]+)\/(converse|converse-stream|count-tokens|invoke)$/;

function pathOf(path: string): Pick<Sent, 'verb' | 'modelId'> {
  const [, modelId = '', verb] = PATH.exec(path) ?? [];
  if (verb !== 'converse' && verb !== 'converse-stream' && verb !== 'count-tokens' && verb !== 'invoke') {
    throw new GatewayError('invalid-request', `Bedrock serves no ${path}`, { provider: 'bedrock' });
  }
  return { verb, modelId: decodeURIComponent(modelId) };
}

/** The SDK's command for a verb: it makes the path and has nothing to say of the body. */
function commandOf(verb: Verb, modelId: string) {
  const json = { contentType: 'application/json', accept: 'application/json' };
  switch (verb) {
    case 'converse':
      return new ConverseCommand({ modelId });
    case 'converse-stream':
      return new ConverseStreamCommand({ modelId });
    case 'invoke':
      return new InvokeModelCommand({ modelId, ...json });
    case 'invoke-with-response-stream':
      return new InvokeModelWithResponseStreamCommand({ modelId, ...json });
    case 'count-tokens':
      return new CountTokensCommand({ modelId, input: undefined });
  }
}

/** What the SDK is told that it has read. */
const NOTHING_READ: ConverseCommandOutput = {
  output: undefined,
  stopReason: undefined,
  usage: undefined,
  metrics: undefined,
  $metadata: {},
};

async function send(sent: Sent, call: UpstreamCall, { client, target, fetch }: Line): Promise<DirectResponse> {
  // each command has its own types; what they have in common is all that is used
  const command = commandOf(sent.verb, sent.modelId) as unknown as ConverseCommand;
  let answer: DirectResponse | undefined;
  command.middlewareStack.add(
    (next) => (args) => {
      if (isHttpRequest(args.request)) rewrite(args.request, sent, call, target);
      return next(args);
    },
    { step: 'serialize', priority: 'low', name: 'bodyAsItIs' },
  );
  command.middlewareStack.add(
    () => async (args) => {
      if (!isHttpRequest(args.request)) throw new GatewayError('internal', 'the AWS SDK made no HTTP request');
      answer = asDirectResponse(await fetch(urlOf(args.request), initOf(args.request, sent, call)));
      return { response: {}, output: NOTHING_READ };
    },
    { step: 'deserialize', priority: 'high', name: 'answerAsItIs' },
  );
  try {
    await client.send(command);
  } catch (thrown) {
    throw awsFailure(thrown, target);
  }
  if (!answer) throw new GatewayError('internal', 'the AWS SDK sent no request', { provider: target.provider });
  return answer;
}

/** What of the SDK's request is ours to change before it is signed, and to read when it is sent. */
interface SdkRequest {
  method: string;
  protocol: string;
  hostname: string;
  port?: number;
  path: string;
  headers: Record<string, string>;
  body?: unknown;
}

const isHttpRequest = (request: unknown): request is SdkRequest =>
  typeof request === 'object' && request !== null && 'hostname' in request && 'headers' in request;

function rewrite(
  request: SdkRequest,
  { body, controlPath }: Sent,
  { headers }: UpstreamCall,
  target: UpstreamTarget,
): void {
  Object.assign(request.headers, target.headers, headers);
  request.body = body;
  if (controlPath === undefined) return;
  request.method = 'GET';
  // models are listed at the control plane, whose host has another first name (AWS, Bedrock endpoints)
  request.hostname = request.hostname.replace(/^bedrock-runtime\b/, 'bedrock');
  request.path = `${prefixOf(request.path)}${controlPath}`;
}

/** What an endpoint of one's own has in front of the API's paths. */
const prefixOf = (path: string): string => path.slice(0, Math.max(0, path.indexOf('/model/')));

const urlOf = ({ protocol, hostname, port, path }: SdkRequest): string =>
  `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`;

function initOf({ method, headers, body }: SdkRequest, { verb }: Sent, { signal, cancellation }: UpstreamCall) {
  return {
    method,
    headers: { ...headers, 'accept-encoding': 'identity' },
    ...(body instanceof Uint8Array && { body }),
    ...(signal && { signal }),
    ...(cancellation && { cancellation }),
    ...(STREAMS.has(verb) && { answerMode: 'framed' as const }),
  };
}
