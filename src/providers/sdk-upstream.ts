import { asDirectResponse, type DirectResponse } from './direct-response.ts';
import type { Fetch } from './fetch.ts';
import type { KnownHeads } from './known-heads.ts';
import {
  answerBehind,
  type SdkErrors,
  sdkOptions,
  type Upstream,
  type UpstreamCall,
  type UpstreamTarget,
} from './upstream.ts';

interface Answering {
  asResponse(): Promise<Response>;
}

type Options = ReturnType<typeof sdkOptions>;

/** What the clients of both vendors have in common. */
interface SdkClient {
  post(path: string, options: Options & { readonly body: string | Uint8Array }): Answering;
  get(path: string, options: Options): Answering;
  delete(path: string, options: Options): Answering;
}

/** A client of a vendor's SDK, and a path as it takes it. */
export interface SdkRoute {
  readonly client: SdkClient;
  readonly path: string;
  /** What the client has made, where that stays true: a head with a token in it does not. */
  readonly heads?: KnownHeads | undefined;
}

/** An upstream behind a client of a vendor's SDK; `routeOf` says which, and how, for a path. */
export function throughSdk(
  routeOf: (path: string) => SdkRoute,
  errors: SdkErrors,
  target: UpstreamTarget,
  fetch: Fetch,
): Upstream & Required<Pick<Upstream, 'delete'>> {
  const refused = (thrown: unknown): DirectResponse => answerBehind(thrown, errors, target);
  const settled = (answer: Answering): Promise<DirectResponse> => answer.asResponse().then(asDirectResponse, refused);
  return {
    post: (given, body, call) => {
      const { client, path, heads } = routeOf(given);
      const sent = heads?.sent(path, body, call, fetch);
      if (sent) return sent.catch(refused);
      return settled(client.post(path, { body, ...sdkOptions(call) }));
    },
    get: (given, call) => {
      const { client, path } = routeOf(given);
      return settled(client.get(path, sdkOptions(call)));
    },
    delete: (given, call: UpstreamCall) => {
      const { client, path } = routeOf(given);
      return settled(client.delete(path, sdkOptions(call)));
    },
  };
}
