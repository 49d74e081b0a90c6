import { createServer, type IncomingMessage } from 'node:http';
import { bodyOf, onLoopback } from './loopback.ts';

/** One request as the API got it. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Api {
  readonly url: string;
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  readonly received: Received[];
  close(): Promise<void>;
}

type Answer = { status?: number; type?: string; body?: string | Buffer; headers?: Record<string, string> };

/** A real API on 127.0.0.1 that remembers what it was asked; `answers` are by `METHOD /path`, others echo. */
export async function startApi(answers: Record<string, Answer | ((request: Received) => Answer)> = {}): Promise<Api> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const body = (await bodyOf(request)).toString();
    const asked = { method, url, headers, body };
    received.push(asked);
    const known = answers[`${method} ${url.split('?')[0]}`];
    const answer = typeof known === 'function' ? known(asked) : known;
    const echo = JSON.stringify({ method, url, body });
    response.writeHead(answer?.status ?? 200, {
      'content-type': answer?.type ?? 'application/json',
      ...answer?.headers,
    });
    response.end(answer ? answer.body : echo);
  });
  return { ...(await onLoopback(server)), received };
}

/** A small shop of pets, with every place an argument can stand in. */
export const petstore = (url: string) => ({
  openapi: '3.0.3',
  info: { title: 'Pets', version: '2.1', description: 'A shop of pets.' },
  servers: [{ url: `${url}/v1` }],
  security: [{ key: [] }],
  paths: {
    '/pets': {
      get: {
        operationId: 'pets.list',
        summary: 'Lists pets',
        parameters: [
          { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 0, exclusiveMinimum: true } },
          { name: 'tags', in: 'query', schema: { type: 'array', items: { type: 'string' } } },
          { name: 'ids', in: 'query', explode: false, schema: { type: 'array', items: { type: 'integer' } } },
          { name: 'where', in: 'query', style: 'deepObject', schema: { type: 'object' } },
          { $ref: '#/components/parameters/trace' },
          { name: 'session', in: 'cookie', schema: { type: 'string' } },
        ],
      },
      post: {
        operationId: 'createPet',
        requestBody: {
          required: true,
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Pet' } } },
        },
      },
    },
    '/pets/{petId}': {
      parameters: [{ name: 'petId', in: 'path', required: true, schema: { type: 'string' } }],
      get: { summary: 'One pet', description: 'With everything known of it.' },
      delete: { operationId: 'deletePet', security: [] },
      put: { operationId: 'old', deprecated: true },
    },
    '/pets/{petId}/photo': {
      post: {
        operationId: 'upload',
        requestBody: { content: { 'multipart/form-data': { schema: { type: 'object' } } } },
      },
      get: { operationId: 'photo' },
    },
    '/remote': { get: { operationId: 'remote', parameters: [{ $ref: 'http://127.0.0.1:1/other.json#/x' }] } },
  },
  components: {
    securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'X-Key' } },
    parameters: { trace: { name: 'X-Trace', in: 'header', schema: { type: 'string' } } },
    schemas: {
      Pet: {
        type: 'object',
        required: ['id', 'name'],
        properties: {
          id: { type: 'integer', readOnly: true },
          name: { type: 'string', example: 'Rex' },
          nick: { type: 'string', nullable: true },
          kind: { $ref: '#/components/schemas/Kind' },
        },
      },
      Kind: { type: 'string', enum: ['cat', 'dog'], 'x-internal': true },
    },
  },
});
