import { UNRECORDED_CHATS } from './chat.ts';
import { UNRECORDED_CONVERSES } from './converse.ts';
import { UNRECORDED_GEMINIS } from './gemini.ts';
import { UNRECORDED_MESSAGES } from './messages.ts';
import { MORE_CONVERSES } from './more-converse.ts';
import { MORE_GEMINIS } from './more-gemini.ts';
import { MORE_RESPONSES } from './more-responses.ts';
import { UNRECORDED_RESPONSES } from './responses.ts';
import type { Unrecorded } from './unrecorded.ts';

/** All of them; a model is named by its place among them. */
export const UNRECORDED: readonly Unrecorded[] = [
  ...UNRECORDED_CHATS,
  ...UNRECORDED_MESSAGES,
  ...UNRECORDED_GEMINIS,
  ...UNRECORDED_RESPONSES,
  ...UNRECORDED_CONVERSES,
  ...MORE_GEMINIS,
  ...MORE_RESPONSES,
  ...MORE_CONVERSES,
];
