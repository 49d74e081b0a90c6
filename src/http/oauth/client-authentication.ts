import type { RegisteredClient } from '../../model/oauth-grants.ts';
import { OauthError } from './oauth-error.ts';
import { isSecretOf } from './secrets.ts';

/** A client, as far as it matters for who it is. */
export type Claimant = Pick<RegisteredClient, 'clientId' | 'secretHash'>;

interface Shown {
  readonly id: string;
  readonly secret: string | undefined;
}

/**
 * The client that sends a request. One with a secret must show it, in the header or in the form, whichever way it
 * registered for: libraries do not agree on what to do. Throws OauthError('invalid_client').
 */
export async function authenticatedClient(
  form: URLSearchParams,
  authorization: string | undefined,
  clientOf: (clientId: string) => Promise<Claimant | undefined>,
): Promise<Claimant> {
  const basic = basicOf(authorization);
  const id = basic?.id ?? form.get('client_id') ?? '';
  if (basic && form.get('client_id') !== null && form.get('client_id') !== basic.id) throw refused();
  const client = await clientOf(id);
  if (!client) throw refused();
  const secret = basic?.secret ?? form.get('client_secret') ?? '';
  if (client.secretHash !== null && !isSecretOf(client.secretHash, secret)) throw refused();
  return client;
}

/** Both are form-encoded before they are joined (RFC 6749, section 2.3.1). */
function basicOf(authorization: string | undefined): Shown | undefined {
  const [, encoded] = /^basic ([\w+/=-]+)$/i.exec(authorization ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const [id = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return { id: plain(id), secret: rest.length > 0 ? plain(rest.join(':')) : undefined };
}

function plain(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

const refused = (): OauthError =>
  new OauthError('invalid_client', 'the client is not registered here, or its secret is wrong', 401);
