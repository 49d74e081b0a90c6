import { googleModelPath } from '../base-url.ts';

/** `publishers/google/models/x`, below a project or alone; endpoints stand in the project itself. */
export function vertexModelPath(model: string): string {
  if (/^\d+$/.test(model)) return `endpoints/${model}`;
  if (/^(publishers|endpoints)\//.test(model)) return model;
  return `publishers/google/${googleModelPath(model.replace(/^google\//i, ''))}`;
}
