const OPENING_BRACE = 0x7b;

/** Whether an event's data is no JSON and says nothing: a data line alone, or the mark behind streams of chats. */
export const saysNothing = (data: string): boolean =>
  data.charCodeAt(0) !== OPENING_BRACE && /^\s*(?:\[DONE\]\s*)?$/.test(data);

/** `[DONE]`, which some servers write with spaces around it. */
export const isDone = (data: string): boolean =>
  data.charCodeAt(0) !== OPENING_BRACE && data.trimStart().startsWith('[DONE]');
