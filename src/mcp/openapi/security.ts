import type { OpenApiConfig } from '../../config/openapi-section.ts';
import { isObject, type JsonObject, type JsonValue, ownValue } from '../../model/json.ts';
import { dereferenced } from './references.ts';

type Credentials = OpenApiConfig['security_credentials'];
type Credential = Credentials[string];

/** What the credentials of a call add to it. */
export interface Secured {
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly cookies: Readonly<Record<string, string>>;
}

interface Scheme {
  readonly place: keyof Secured;
  readonly name: string;
  readonly value: string;
}

const NOTHING: Secured = { headers: {}, query: {}, cookies: {} };

/**
 * The first of an operation's requirements for which all credentials are there; `{}` asks for none. Where none can be
 * met the call goes without: headers of the config may be all that the API wants.
 */
export function securedBy(
  requirements: JsonValue | undefined,
  document: JsonObject,
  credentials: Credentials,
): Secured {
  for (const requirement of Array.isArray(requirements) ? requirements : []) {
    if (!isObject(requirement)) continue;
    const schemes = Object.keys(requirement).map((name) => schemeOf(name, document, credentials));
    if (schemes.every((scheme) => scheme !== undefined)) return joined(schemes);
  }
  return NOTHING;
}

function joined(schemes: readonly Scheme[]): Secured {
  const secured = { headers: {}, query: {}, cookies: {} } as Record<keyof Secured, Record<string, string>>;
  for (const { place, name, value } of schemes) secured[place][name] = value;
  return secured;
}

function schemeOf(name: string, document: JsonObject, credentials: Credentials): Scheme | undefined {
  const credential = ownValue(credentials, name);
  const { components } = document;
  const all = isObject(components) && isObject(components.securitySchemes) ? components.securitySchemes : {};
  const scheme = Object.hasOwn(all, name) ? dereferenced(document, all[name]) : undefined;
  return credential && scheme && filledIn(scheme, credential);
}

const PLACES = { header: 'headers', query: 'query', cookie: 'cookies' } as const;

function filledIn(scheme: JsonObject, { value, username, password }: Credential): Scheme | undefined {
  const text = value?.value;
  if (scheme.type === 'apiKey') {
    const place = Object.entries(PLACES).find(([name]) => name === scheme.in)?.[1];
    return text && place ? { place, name: String(scheme.name), value: text } : undefined;
  }
  if (scheme.type === 'http' && String(scheme.scheme).toLowerCase() === 'basic') {
    const pair = username ? `${username.value}:${password?.value ?? ''}` : text;
    return pair ? authorization(`Basic ${Buffer.from(pair).toString('base64')}`) : undefined;
  }
  const isBearer = scheme.type === 'http' && String(scheme.scheme).toLowerCase() === 'bearer';
  const takesToken = isBearer || scheme.type === 'oauth2' || scheme.type === 'openIdConnect';
  return takesToken && text ? authorization(`Bearer ${text}`) : undefined;
}

const authorization = (value: string): Scheme => ({ place: 'headers', name: 'authorization', value });

/** Every secret text in the credentials, so that none is told. */
export const secretsOf = (credentials: Credentials): string[] =>
  Object.values(credentials).flatMap(({ value, username, password }) =>
    [value, password, username && password && { value: basic(username.value, password.value) }].flatMap(
      (secret) => secret?.value || [],
    ),
  );

const basic = (username: string, password: string): string => Buffer.from(`${username}:${password}`).toString('base64');
