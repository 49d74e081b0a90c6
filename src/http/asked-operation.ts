import type { IncomingMessage } from 'node:http';
import { readOperation } from '../codecs/operations/read-operation.ts';
import { requireParts } from '../codecs/operations/required.ts';
import type { OperationRequest } from '../model/operation.ts';
import { requestBody } from './request-body.ts';
import type { OperationRoute } from './routes.ts';

/** The most that sound to transcribe may take (OpenAI API reference, audio/transcriptions), and the form around it. */
const MOST_SOUND_BYTES = 25 * 1024 * 1024 + 64 * 1024;

/** What a client asks on a route of its own. Throws GatewayError. */
export async function askedOperation(
  { kind, format, url }: OperationRoute,
  request: IncomingMessage,
  maxBodyBytes: number,
): Promise<OperationRequest> {
  const isSound = kind === 'transcription' || kind === 'translation';
  const bytes = await requestBody(request, isSound ? Math.min(MOST_SOUND_BYTES, maxBodyBytes) : maxBodyBytes);
  const contentType = request.headers['content-type'];
  return requireParts(readOperation({ kind, format, contentType, bytes, said: url?.said, azure: url?.azure }));
}

export const headerText = (value: string | string[] | undefined): string | undefined =>
  (Array.isArray(value) ? value[0] : value) || undefined;
