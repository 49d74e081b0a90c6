import type { ScriptErrorKind } from './protocol.ts';

/** How a script ended. */
export type ScriptOutcome =
  /** `value`: indented JSON; absent when nothing was returned. */
  | { readonly type: 'done'; readonly value?: string | undefined }
  | { readonly type: 'failed'; readonly kind: ScriptErrorKind; readonly message: string };

/** What the model reads of a run. An error is text like any other, so that the model can repair its code. */
export function reportText(outcome: ScriptOutcome, printed: readonly string[], servers: readonly string[]): string {
  const environment = environmentText(servers);
  if (outcome.type === 'failed') {
    return [
      `Execution ${outcome.kind} error:`,
      outcome.message,
      `Hints:\n${hintsFor(outcome, servers).join('\n')}`,
      ...(printed.length > 0 ? [`Print Output:\n${printed.join('\n')}`] : []),
      environment,
    ].join('\n\n');
  }
  const hasValue = outcome.value !== undefined && outcome.value !== 'null';
  if (!hasValue && printed.length === 0) {
    return ['Execution completed but produced no data:', `Hints:\n${NOTHING_PRODUCED.join('\n')}`, environment].join(
      '\n\n',
    );
  }
  const told = ['Execution completed successfully.', ...(hasValue ? [`Return value: ${outcome.value}`] : [])].join(
    '\n',
  );
  return [...(printed.length > 0 ? [`Print output:\n${printed.join('\n')}`] : []), told, environment].join('\n\n');
}

const NOTHING_PRODUCED = [
  '- The code ran without an error, but returned and printed nothing.',
  '- End it with `return value;`, or set the variable `result`.',
  '- Use console.log(value) or print(value) to see what happens on the way.',
  '- Tools are asynchronous: write `await` before each call.',
];

const environmentText = (servers: readonly string[]): string =>
  [
    'Environment:',
    `  Available server keys: ${servers.join(', ')}`,
    '  Note: The code is JavaScript or TypeScript in a sandbox: no imports, network, files or timers. ' +
      'Use `return` or the variable `result` to give back a value.',
  ].join('\n');

/** What to do about an error; by what its text holds. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /is not defined/,
    '- Only the language itself, console, print and the servers below exist; there is no require, fetch or process.',
  ],
  [/not a function/, '- Read the declarations with readToolFile to see which functions a server has.'],
  [
    /of undefined|of null|cannot read/,
    '- A value was missing: write `await` before each call, and print the result to see its shape.',
  ],
  [/import|export|require/, '- Modules cannot be imported: call the servers below directly.'],
  [/takes one object/, '- Pass all arguments in one object: await server.tool({ name: value }).'],
  [
    /must be allowed|was not allowed/,
    '- The call needs the approval of a person; go on without it or ask for it in your answer.',
  ],
  [/not available|not permitted/, '- This tool may not be used here; choose another one.'],
  [
    /out of memory|string too long|stack overflow/,
    '- Keep less in memory at once: filter early, work in smaller pieces, and avoid endless recursion.',
  ],
  [
    /was stopped|timed out|took longer|did not end/,
    '- Make the code faster or do less in one run; look for loops that never end.',
  ],
  [
    /nothing will ever settle/,
    '- Await only calls of tools; there are no timers or events that could settle another promise.',
  ],
];

function hintsFor({ kind, message }: ScriptOutcome & { type: 'failed' }, servers: readonly string[]): string[] {
  const fitting = HINTS.flatMap(([pattern, hint]) => (pattern.test(message) ? [hint] : []));
  if (kind === 'syntax')
    return ['- The code must be valid JavaScript or TypeScript; repair it and run it again.', ...fitting];
  if (fitting.length > 0) return fitting;
  const example = servers[0] ?? 'server';
  return [`- Call tools as \`await ${example}.tool({ ... })\`; getToolDocs shows what one takes.`];
}
