import { getEventListeners } from 'node:events';

const followers = new WeakMap<AbortSignal, (() => void)[]>();

/**
 * Runs `action` when `signal` aborts; gives the function that forgets it. A signal gets one listener however many calls
 * of a turn hang on it (Node warns from the eleventh on). It stays there, so that a signal which serves one call after
 * the other is listened to once.
 */
export function onAbort(signal: AbortSignal, action: () => void): () => void {
  const actions = followers.get(signal) ?? newFollowers(signal);
  actions.push(action);
  return () => {
    const index = actions.indexOf(action);
    if (index >= 0) actions.splice(index, 1);
  };
}

/** Whether somebody waits for the signal to abort. */
export function isAwaited(signal: AbortSignal): boolean {
  const actions = followers.get(signal);
  return getEventListeners(signal, 'abort').length > (actions ? 1 : 0) || (actions?.length ?? 0) > 0;
}

function newFollowers(signal: AbortSignal): (() => void)[] {
  const actions: (() => void)[] = [];
  followers.set(signal, actions);
  signal.addEventListener(
    'abort',
    () => {
      for (const action of actions.splice(0)) action();
    },
    { once: true },
  );
  return actions;
}
