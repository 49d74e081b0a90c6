/** The same while it is being put together: members that stand there conditionally cost less set than spread. */
export type Writable<Whole> = { -readonly [Member in keyof Whole]: Whole[Member] };
