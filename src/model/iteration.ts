/** The end of an iteration by hand: one object for all of them. */
export const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/** The same, awaited. */
export const OVER: Promise<IteratorReturnResult<undefined>> = Promise.resolve(DONE);
