import { hash } from 'node:crypto';

/** The first `length` hex digits of the text's SHA-256: short, stable, and different for different texts. */
export const shortHash = (text: string, length: number): string => hash('sha256', text, 'hex').slice(0, length);
