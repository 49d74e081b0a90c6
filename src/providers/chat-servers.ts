import { GatewayError } from '../model/errors.ts';
import type { Outgoing } from './outgoing.ts';
import type { Deployment } from './provider.ts';

/** Who has no such path says so without a code, which the API itself gives when it is the model that it does not know. */
const NO_SUCH_PATH: ReadonlySet<number | undefined> = new Set([404, 405, 501]);

/**
 * Servers that stand at the address of an OpenAI provider and have no Responses API, as a proxy may. What was going to
 * be asked there goes out as a chat: at once, and from then on.
 */
export class ChatServers {
  readonly #known = new WeakMap<Deployment, Deployment>();
  #none = true;

  /** The deployment as it turned out to be. */
  seen(deployment: Deployment): Deployment {
    return this.#none ? deployment : (this.#known.get(deployment) ?? deployment);
  }

  /** The deployment without its Responses API where that is what was refused; nothing where it is not. */
  learnt(deployment: Deployment, { codec }: Outgoing, thrown: unknown): Deployment | undefined {
    const [first, ...others] = deployment.speaks.filter((format) => format !== 'openai-responses');
    if (codec.id !== 'openai-responses' || first === undefined || !isPathUnknown(thrown)) return undefined;
    const plain: Deployment = { ...deployment, speaks: [first, ...others] };
    this.#known.set(deployment, plain);
    this.#none = false;
    return plain;
  }
}

const isPathUnknown = (thrown: unknown): boolean =>
  thrown instanceof GatewayError && NO_SUCH_PATH.has(thrown.details.status) && thrown.details.code === undefined;
