import fc from 'fast-check';

/** Property tests try the same cases in every run; `PROPERTY_SEED=random npm test` (or a number) looks for new ones. */
const asked = process.env.PROPERTY_SEED ?? '20260101';
if (asked !== 'random') fc.configureGlobal({ seed: Number(asked) });
