import { asDirectResponse, type DirectResponse } from './direct-response.ts';
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

/** An upstream behind a client of a vendor's SDK; `clientFor` gives the one for a path, and the path as it takes it. */
export function throughSdk(
  clientFor: (path: string) => readonly [client: SdkClient, path: string],
  errors: SdkErrors,
  target: UpstreamTarget,
): Upstream & Required<Pick<Upstream, 'delete'>> {
  const settled = (answer: Answering): Promise<DirectResponse> =>
    answer.asResponse().then(asDirectResponse, (thrown: unknown) => answerBehind(thrown, errors, target));
  return {
    post: (given, body, call) => {
      const [client, path] = clientFor(given);
      return settled(client.post(path, { body, ...sdkOptions(call) }));
    },
    get: (given, call) => {
      const [client, path] = clientFor(given);
      return settled(client.get(path, sdkOptions(call)));
    },
    delete: (given, call: UpstreamCall) => {
      const [client, path] = clientFor(given);
      return settled(client.delete(path, sdkOptions(call)));
    },
  };
}
