import type { RpcMessage } from '../peer.ts';
import { subscriptionKey } from './features.ts';
import { notificationText } from './json-rpc.ts';
import { isLoud } from './log-levels.ts';
import type { Session, Sessions } from './sessions.ts';
import type { ServerSaid } from './source.ts';

/** Takes what servers say of themselves to the sessions that it is for. */
export const notifyOf =
  (sessions: Sessions): ServerSaid =>
  (client, notification, identity) => {
    for (const session of sessions.all()) {
      if (identity !== undefined && identity !== session) continue;
      const message = messageFor(session, client, notification, identity !== undefined);
      if (message !== undefined) session.notify(message);
    }
  };

function messageFor(
  session: Session,
  client: string,
  { method, params }: RpcMessage,
  isAlone: boolean,
): string | undefined {
  const { scope } = session.facts;
  if (scope !== undefined && scope !== client) return undefined;
  switch (method) {
    // of what is for all, the catalog tells, once it has the new list
    case 'notifications/tools/list_changed':
      return isAlone ? notificationText(method) : undefined;
    case 'notifications/resources/list_changed':
    case 'notifications/prompts/list_changed':
      return notificationText(method, params);
    case 'notifications/resources/updated': {
      const uri = session.subscriptions.get(subscriptionKey(client, String(params.uri)));
      return uri === undefined ? undefined : notificationText(method, { ...params, uri });
    }
    case 'notifications/message': {
      // what belongs to no call may be about another's: it is for those who asked to hear everything
      const { logLevel } = session;
      return logLevel !== undefined && isLoud(params.level, logLevel) ? notificationText(method, params) : undefined;
    }
    default:
      return scope === undefined ? undefined : notificationText(method, params);
  }
}
