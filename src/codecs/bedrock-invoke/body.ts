import { GatewayError } from '../../model/errors.ts';
import type { SaidByUrl } from '../body.ts';
import { type Member, topLevelMembers } from '../scan.ts';

/** What Bedrock wants in the body of an InvokeModel request for Claude, in place of a header. */
const BEDROCK_VERSION = 'bedrock-2023-05-31';

/** Said by the URL or by headers in Anthropic's own API. */
const ENVELOPE: ReadonlySet<string> = new Set(['anthropic_version', 'anthropic_beta', 'model', 'stream']);

export interface Opened {
  readonly bytes: Buffer;
  /** Headers that say what the body said. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The body of an InvokeModel request as Anthropic's own API takes it. Throws GatewayError('invalid-request'). */
export function opened(bytes: Buffer, { model, stream }: SaidByUrl): Opened {
  const members = topLevelMembers(bytes);
  if (!members.some(({ key }) => key === 'messages')) {
    throw new GatewayError(
      'invalid-request',
      "invoke takes bodies of Anthropic's Messages API (anthropic_version, messages); use converse for other models",
      { param: 'messages' },
    );
  }
  const betas = namesIn(memberIn(bytes, members, 'anthropic_beta'));
  const said = `"model":${JSON.stringify(model)}${stream ? ',"stream":true' : ''}`;
  return {
    bytes: rebuilt(bytes, members, said),
    headers: betas.length > 0 ? { 'anthropic-beta': betas.join(',') } : {},
  };
}

/**
 * A body of Anthropic's own API as InvokeModel takes it: without model and stream, which the URL says, and with what
 * Anthropic is told in headers.
 */
export function enclosed(bytes: Buffer, betas: readonly string[]): { bytes: Buffer; model: string; stream: boolean } {
  const members = topLevelMembers(bytes);
  const given = namesIn(memberIn(bytes, members, 'anthropic_beta'));
  const all = [...new Set([...given, ...betas])];
  const said = `"anthropic_version":"${BEDROCK_VERSION}"${all.length > 0 ? `,"anthropic_beta":${JSON.stringify(all)}` : ''}`;
  const model = memberIn(bytes, members, 'model');
  return {
    bytes: rebuilt(bytes, members, said),
    model: typeof model === 'string' ? model : '',
    stream: memberIn(bytes, members, 'stream') === true,
  };
}

/** Every other member as it came, behind `said` (JSON text such as `"a":1`). */
function rebuilt(bytes: Buffer, members: readonly Member[], said: string): Buffer {
  const pieces: Uint8Array[] = [Buffer.from(`{${said}`)];
  const comma = Buffer.from(',');
  for (const { key, keyStart, valueEnd } of members) {
    if (!ENVELOPE.has(key)) pieces.push(comma, bytes.subarray(keyStart, valueEnd));
  }
  pieces.push(Buffer.from('}'));
  return Buffer.concat(pieces);
}

function memberIn(bytes: Buffer, members: readonly Member[], key: string): unknown {
  const member = members.findLast((candidate) => candidate.key === key);
  return member && JSON.parse(bytes.toString('utf8', member.valueStart, member.valueEnd));
}

const namesIn = (list: unknown): string[] =>
  Array.isArray(list) ? list.filter((name) => typeof name === 'string') : [];
