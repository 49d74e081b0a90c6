import { z } from 'zod';

/** `["*"]` = all, empty = none, otherwise exactly those, compared without case. */
export const whiteList = z
  .array(z.string())
  .refine((list) => !list.includes('*') || list.length === 1, {
    message: "wildcard '*' cannot be used with other values in the whitelist",
  })
  .refine((list) => new Set(list.map((entry) => entry.toLowerCase())).size === list.length, {
    message: 'the list names an entry twice',
  });
