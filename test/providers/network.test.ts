import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { importsOf, sourceFiles } from '../support/imports.ts';

const imports = sourceFiles(resolve(import.meta.dirname, '../../src')).flatMap(importsOf);
const importersOf = (target: string): string[] => [
  ...new Set(imports.filter(({ to, from }) => to === target && from.startsWith('providers/')).map(({ from }) => from)),
];

test.each([
  ['undici', ['providers/connections.ts', 'providers/fetch.ts']],
  ['openai', ['providers/azure/openai.ts', 'providers/openai.ts']],
  ['@anthropic-ai/sdk', ['providers/anthropic.ts']],
  ['@anthropic-ai/foundry-sdk', ['providers/azure/claude.ts']],
  ['@anthropic-ai/vertex-sdk', ['providers/vertex/claude.ts']],
])('only the files that carry its calls import %s', (target, files) => {
  expect(importersOf(target)).toEqual(files);
});
