import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import { asGatewayError, GatewayError, statusOf } from '../../model/errors.ts';
import { isObject } from '../../model/json.ts';
import type { Failure } from './contract.ts';

/** A refusal in the admin API's own words, with the status that the original answers. */
export const adminError = (status: number, message: string, cause?: unknown): GatewayError =>
  new GatewayError(status < 500 ? 'invalid-request' : 'internal', message, { status, cause });

export function answerFailure(response: Response, status: number, message: string): void {
  const body: Failure = { is_bifrost_error: false, status_code: status, error: { message } };
  response.status(status).json(body);
}

export const answerNotFound: RequestHandler = (request, response) => {
  // `path` is what the router that was asked last has left of it
  const [path] = request.originalUrl.split('?');
  answerFailure(response, 404, `${request.method} ${path} is not served here`);
};

/** Express knows an error handler by its four parameters. */
export const answerError: ErrorRequestHandler = (thrown: unknown, _request, response, _next) => {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const parsing = expressRefusal(thrown);
  if (parsing) return answerFailure(response, parsing.status, parsing.message);
  const error = asGatewayError(thrown);
  answerFailure(response, statusOf(error), error.message);
};

/** The body parser marks what the client did wrong: too large, not JSON, an encoding it does not know; so does the router. */
function expressRefusal(thrown: unknown): { readonly status: number; readonly message: string } | undefined {
  if (thrown instanceof URIError) return { status: 400, message: 'the path is not valid: "%" is followed by no code' };
  if (!isObject(thrown) || typeof thrown.type !== 'string' || typeof thrown.status !== 'number') return undefined;
  const message = thrown.type === 'entity.parse.failed' ? 'Invalid JSON' : String(thrown.message);
  return thrown.status < 500 ? { status: thrown.status, message } : undefined;
}
