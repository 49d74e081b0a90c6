/** `high`: nothing of good faith looks like this. `medium`: worth a look. `low`: odd. */
export type Severity = 'high' | 'medium' | 'low';

/** Something in a tool's definition that is meant for the model and not for people. */
export interface Finding {
  /** `unicode-tags`, `injected-prompt`, ... */
  readonly rule: string;
  readonly severity: Severity;
  /** The place in the definition: `description`, `inputSchema.properties.path.description`. */
  readonly where: string;
  readonly message: string;
  /** What was found, with invisible characters written out. */
  readonly excerpt: string;
}
