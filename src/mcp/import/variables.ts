export type Variables = Readonly<Record<string, string | undefined>>;

/** What a text of settings says once its variables are filled in. */
export interface Filled {
  readonly text: string;
  /** Variables that it needs and nobody gives, as they are written. */
  readonly missing: readonly string[];
}

/** `${VAR}`, `${env:VAR}`, `${VAR:-default}`, `${input:id}`, `${userHome}`, and Gemini CLI's `$VAR`. */
const VARIABLE = /\$\{([^{}]*)\}|\$([A-Za-z_][A-Za-z0-9_]*)/g;

export function filled(text: string, environment: Variables): Filled {
  const missing: string[] = [];
  const result = text.replace(VARIABLE, (written: string, braced?: string, bare?: string) => {
    const value = variableValue(braced ?? bare ?? '', environment);
    if (value === undefined) missing.push(written);
    return value ?? '';
  });
  return { text: result, missing };
}

function variableValue(inner: string, environment: Variables): string | undefined {
  if (inner === 'userHome') return environment.HOME ?? environment.USERPROFILE;
  const [, name = '', otherwise] = /^(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inner) ?? [];
  return (name === '' ? undefined : environment[name] || undefined) ?? otherwise;
}

/** The variable that a text is, and nothing else; undefined for every other text. */
export const onlyVariable = (text: string): string | undefined => {
  const [, braced, bare] = /^(?:\$\{(?:env:)?([A-Za-z_][A-Za-z0-9_]*)\}|\$([A-Za-z_][A-Za-z0-9_]*))$/.exec(text) ?? [];
  return braced ?? bare;
};

/** Why variables keep a server out, and what to do. */
export function missingText(missing: readonly string[]): string {
  const names = [...new Set(missing)].join(', ');
  if (missing.some((name) => name.startsWith('${input:'))) {
    return `it asks a person for ${names}; write the value, or \${VAR} for a variable of the gateway's environment`;
  }
  if (missing.some((name) => /workspace|file|cwd/i.test(name)))
    return `${names} means nothing to a gateway; write a path`;
  return `${names} is not set in the environment; set it and import again`;
}
