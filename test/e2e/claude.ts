import { existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandRun, runCommand } from './command.ts';
import { installed } from './installed.ts';

/** The version whose behaviour the codecs were written against; the newest 2.1.x when this was written. */
const VERSION = '2.1.330';

/** The path of a real Claude Code, installed on first use. */
export async function claudeBinary(): Promise<string> {
  const folder = await installed(`claude-code-${VERSION}`, `@anthropic-ai/claude-code@${VERSION}`);
  const binary = join(folder, `node_modules/@anthropic-ai/claude-code-${process.platform}-${process.arch}/claude`);
  if (!existsSync(binary))
    throw new Error(`Claude Code ${VERSION} has no build for ${process.platform}-${process.arch}`);
  return binary;
}

/** A home and a working folder of its own for one test, so that no run sees another's sessions or settings. */
export class ClaudeHome {
  readonly home: string;
  readonly work: string;
  readonly #binary: string;

  constructor(binary: string) {
    const root = mkdtempSync(join(tmpdir(), 'bifrost-claude-'));
    this.home = join(root, 'home');
    this.work = join(root, 'work');
    mkdirSync(this.home);
    mkdirSync(this.work);
    this.#binary = binary;
  }

  /** Runs the client as its users do, pointed at `baseUrl`. */
  run(args: readonly string[], baseUrl: string, env: Record<string, string> = {}): Promise<CommandRun> {
    return runCommand(this.#binary, args, {
      cwd: this.work,
      env: {
        HOME: this.home,
        IS_SANDBOX: '1',
        ANTHROPIC_BASE_URL: baseUrl,
        ANTHROPIC_API_KEY: 'dummy-key',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
        ...env,
      },
    });
  }

  /** `claude -p PROMPT --model MODEL` with every tool allowed. */
  prompt(text: string, model: string, baseUrl: string, env: Record<string, string> = {}): Promise<CommandRun> {
    const args = ['-p', text, '--model', model, '--permission-mode', 'bypassPermissions'];
    return this.run(args, baseUrl, env);
  }
}
