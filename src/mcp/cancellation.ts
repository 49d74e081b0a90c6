interface Follower {
  readonly actions: Set<() => void>;
  readonly listener: () => void;
}

const followers = new WeakMap<AbortSignal, Follower>();

/**
 * Runs `action` when `signal` aborts; gives the function that forgets it. A signal gets one listener however many calls
 * of a turn hang on it (Node warns from the eleventh on), and none once all are forgotten: it may then serve again.
 */
export function onAbort(signal: AbortSignal, action: () => void): () => void {
  const follower = followers.get(signal) ?? newFollower(signal);
  follower.actions.add(action);
  return () => {
    follower.actions.delete(action);
    if (follower.actions.size > 0 || followers.get(signal) !== follower) return;
    followers.delete(signal);
    signal.removeEventListener('abort', follower.listener);
  };
}

function newFollower(signal: AbortSignal): Follower {
  const actions = new Set<() => void>();
  const follower = { actions, listener: () => actions.forEach((each) => void each()) };
  followers.set(signal, follower);
  signal.addEventListener('abort', follower.listener, { once: true });
  return follower;
}
