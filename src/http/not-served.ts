import type { CodecId } from '../model/content.ts';
import { GatewayError } from '../model/errors.ts';
import { codecOf, dialectOf, type Route, routeOf, servedPaths } from './routes.ts';

/** Why a path below an API of models is refused. */
export interface NotServed {
  readonly error: GatewayError;
  /** The dialect to say it in. */
  readonly codec: CodecId;
  /** What the `Allow` header says; undefined where no method is served. */
  readonly allow?: string;
}

const METHODS = ['GET', 'POST', 'DELETE'] as const;

/** Tells apart what only another method reaches from what is nowhere. */
export function notServed(method: string, path: string): NotServed {
  const meant = whatEndsAs(path);
  const [route] = METHODS.flatMap((other) => routeOf(other, path) ?? []);
  if (!route || isNoModel(method, path, route) || meant?.startsWith(`${method} `)) {
    const advice = meant ? `did you mean ${meant}?` : `served are ${servedPaths().join(', ')}`;
    const error = new GatewayError('not-found', `${method} ${path} is not served here; ${advice}`);
    return { error, codec: dialectOf(path) };
  }
  const allow = METHODS.filter((other) => routeOf(other, path)).join(', ');
  const error = new GatewayError('invalid-request', `${method} is not allowed at ${path}; send ${allow}`, {
    status: 405,
  });
  return { error, codec: codecOf(route), allow };
}

/** A base URL with too much or too little in front: the end of the path still tells what was meant. */
function whatEndsAs(path: string): string | undefined {
  const end = path.split('/').slice(-2).join('/');
  return servedPaths().find((route) => route.endsWith(`/${end}`));
}

/** Any name may be that of a model, also one with an unknown verb behind it, as Google writes them. */
const isNoModel = (method: string, path: string, { kind }: Route): boolean =>
  kind === 'model' && method === 'POST' && /:\w+$/.test(path);
