import { cases, type Recording } from '../support/recordings.ts';
import { FORMAT_OF } from './expected.ts';

/** The answers of a recorded conversation, in order. */
export type Run = readonly Recording[];

/** Every conversation of several steps that was recorded. */
export function recordedRuns(): Run[] {
  const steps = new Map<string, Recording[]>();
  for (const recording of Object.keys(FORMAT_OF).flatMap((endpoint) => cases({ endpoint }))) {
    const { id } = recording.scenario ?? {};
    if (id !== undefined) steps.set(id, [...(steps.get(id) ?? []), recording]);
  }
  return [...steps.values()].map((run) => run.sort((a, b) => (a.scenario?.step ?? 0) - (b.scenario?.step ?? 0)));
}
