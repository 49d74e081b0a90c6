import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const folder = resolve(import.meta.dirname, '../../../shared');

/** The folder of recorded provider traffic and client captures beside the checkout; undefined in a user's clone. */
export const shared: string | undefined = existsSync(resolve(folder, 'recordings/index.json')) ? folder : undefined;

export const sharedPath = (...parts: string[]): string => resolve(folder, ...parts);
