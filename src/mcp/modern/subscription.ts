import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { type JsonRpcId, notificationText, resultText } from '../server/json-rpc.ts';
import { META } from './protocol.ts';

/** What the client of a subscription wants to hear of, as far as the gateway can tell it. */
export interface Filter {
  readonly methods: ReadonlySet<string>;
  readonly uris: readonly string[];
  /** As it is acknowledged. */
  readonly honoured: JsonObject;
  /** The same with these URIs alone. */
  only(uris: readonly string[]): Filter;
}

/** The member of a filter, the capability that it needs, and the notification that it lets through. */
const LISTS = [
  ['toolsListChanged', 'tools', 'notifications/tools/list_changed'],
  ['promptsListChanged', 'prompts', 'notifications/prompts/list_changed'],
  ['resourcesListChanged', 'resources', 'notifications/resources/list_changed'],
] as const;

export function filterOf(params: JsonObject, capabilities: JsonObject): Filter {
  const wanted = isObject(params.notifications) ? params.notifications : {};
  const has = (member: string, what: string) => {
    const capability = capabilities[member];
    return isObject(capability) && capability[what] === true;
  };
  const lists = LISTS.filter(([member, capability]) => wanted[member] === true && has(capability, 'listChanged'));
  const given = wanted.resourceSubscriptions;
  const uris = Array.isArray(given) && has('resources', 'subscribe') ? given.filter(isText) : [];
  return filterFor(
    new Set(lists.map(([, , method]) => method)),
    lists.map(([member]) => member),
    uris,
  );
}

function filterFor(methods: ReadonlySet<string>, members: readonly string[], uris: readonly string[]): Filter {
  return {
    methods,
    uris,
    honoured: {
      ...Object.fromEntries(members.map((member) => [member, true])),
      ...(uris.length > 0 && { resourceSubscriptions: [...uris] }),
    },
    only: (fewer) => filterFor(methods, members, fewer),
  };
}

const isText = (value: JsonValue): value is string => typeof value === 'string';

export const acknowledgement = (id: JsonRpcId, { honoured }: Filter): string =>
  notificationText('notifications/subscriptions/acknowledged', { ...named(id), notifications: honoured });

/** A notification of the gateway's, for the stream of this subscription; undefined when it was not asked for. */
export function subscribed(id: JsonRpcId, { methods, uris }: Filter, text: string): string | undefined {
  const message: unknown = JSON.parse(text);
  if (!isObject(message) || typeof message.method !== 'string') return undefined;
  const params = isObject(message.params) ? message.params : {};
  const isUpdate = message.method === 'notifications/resources/updated' && uris.includes(String(params.uri));
  if (!isUpdate && !methods.has(message.method)) return undefined;
  const meta = isObject(params._meta) ? params._meta : {};
  return notificationText(message.method, { ...params, _meta: { ...meta, ...named(id)._meta } });
}

/** Says that a subscription ends by our wish and not by an accident. */
export const subscriptionEnd = (id: JsonRpcId): string =>
  resultText(id, JSON.stringify({ resultType: 'complete', ...named(id) }));

const named = (id: JsonRpcId): { _meta: JsonObject } => ({ _meta: { [META.subscriptionId]: id } });
