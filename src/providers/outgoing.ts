import { refuseThread } from '../codecs/anthropic-messages/stored-state.ts';
import type { Codec } from '../codecs/codec.ts';
import { compacted } from '../codecs/ledger.ts';
import { refuseStoredState } from '../codecs/openai-responses/stored-state.ts';
import type { CallContext } from '../model/call.ts';
import type { CodecId } from '../model/content.ts';
import type { Loss } from '../model/loss.ts';
import type { BodySource, ChatRequest } from '../model/request.ts';
import type { ReasoningVault } from '../vault/vault.ts';
import { type CompatRules, rulesFor, USUAL_COMPAT } from './compat.ts';
import { takesLess, withoutRefused } from './dropped-params.ts';
import { isHistorySuspect, type Reader, withHistory } from './history.ts';
import { hostedToolsFor } from './hosted-tools.ts';
import type { ModelKnowledge } from './models/traits.ts';
import type { Deployment } from './provider.ts';
import { wireFormat } from './wire-format.ts';

/** A request as it leaves: the format it is in, its body, and how its answer may be read. */
export interface Outgoing {
  readonly codec: Codec;
  readonly body: string | Uint8Array;
  /** True when the client may have the answer's bytes as they are: same format, and nothing of ours in the request. */
  readonly passThrough: boolean;
  readonly toolNames?: ReadonlyMap<string, string>;
  readonly answersByTool?: boolean;
}

const INCLUDE_USAGE = '"stream_options":{"include_usage":true}';

/** What writing a request goes by beside the request itself. */
export interface OutgoingOptions {
  readonly codecs: Readonly<Record<CodecId, Codec>>;
  readonly vault: ReasoningVault;
  readonly models: ModelKnowledge;
  /** The usual ones when absent. */
  readonly compat?: CompatRules;
  /** What to use in place of a hosted tool that the provider does not have. */
  readonly insteadOfHosted?: (() => string | undefined) | undefined;
}

/** Writes `request` for a deployment, in the client's own format where it is spoken there. Losses go to the trace. */
export function outgoing(
  { codecs, vault, models, compat = USUAL_COMPAT, insteadOfHosted }: OutgoingOptions,
  deployment: Deployment,
  request: ChatRequest,
  model: string,
  context: CallContext,
): Outgoing {
  const traits = models.traitsOf(deployment.name, model);
  const rules = rulesFor(compat, context.caller.compat);
  const codec = codecs[wireFormat(deployment, context.dialect, request, model, traits, rules)];
  noteConversion(deployment, codec.id, request, context);
  const passThrough = codec.id === context.dialect && request.untouched;
  const source = passThrough ? request.raw : undefined;
  const reader: Reader = { provider: deployment.name, model };
  const isNarrow = rules.dropsParams && takesLess(traits);
  const isOwn = source?.codec === codec.id && !isNarrow && travelsVerbatim(deployment, source, model);
  const mayTravel = isOwn && codec.fitsModel?.(source, traits) !== false ? source : undefined;
  if (mayTravel && !isHistorySuspect(mayTravel, codec, vault, reader, context)) {
    return verbatim(mayTravel, codec, deployment, request, model);
  }
  const target = { model, stream: request.stream, ...traits, ...deployment.wire };
  const prepared = withHistory(request, codec, target, vault, reader, context);
  // a closer look may have found marks of ours, which make the request one without `raw`
  if (mayTravel && prepared === request && request.raw) return verbatim(mayTravel, codec, deployment, request, model);
  refuseStoredState(request, codec.id);
  refuseThread(request, codec.id);
  const isForeign = codec.id !== context.dialect;
  const hosted = isForeign ? hostedToolsFor(prepared, codec.id, target, insteadOfHosted) : undefined;
  const encoded = codec.encodeRequest(hosted?.request ?? prepared, target);
  const whole = hosted?.fields(encoded.body) ?? encoded.body;
  const narrowed = isNarrow ? withoutRefused(whole, codec.id, traits, model) : undefined;
  const body = narrowed?.body ?? whole;
  const adjusted = deployment.adjust?.(body, model);
  const losses = [hosted, encoded, narrowed, adjusted].flatMap((step) => step?.losses ?? []);
  noteLosses(losses, rules, context);
  return {
    codec,
    body: JSON.stringify(adjusted?.body ?? body),
    passThrough: passThrough && encoded.toolNames === undefined && !encoded.answersByTool,
    ...(encoded.toolNames && { toolNames: encoded.toolNames }),
    ...(encoded.answersByTool && { answersByTool: true }),
  };
}

const verbatim = (
  source: BodySource,
  codec: Codec,
  deployment: Deployment,
  request: ChatRequest,
  model: string,
): Outgoing => ({
  codec,
  body: source.withModel(model, extraMembers(deployment, codec.id, request, source)),
  passThrough: true,
});

function noteConversion(
  { speaks }: Deployment,
  format: CodecId,
  { stream }: ChatRequest,
  { trace, dialect }: CallContext,
): void {
  const isConverted = format !== dialect && speaks.includes(dialect);
  if (isConverted) trace.convertedTo = `${CONVERTED[format] ?? 'responses'}${stream ? '_stream' : ''}`;
  else if (trace.convertedTo !== undefined) trace.convertedTo = undefined;
}

/** The original's word for a request in a format that is not the client's, though that is spoken there too. */
const CONVERTED: Readonly<Partial<Record<CodecId, string>>> = { 'openai-chat': 'chat_completion' };

function noteLosses(losses: readonly Loss[], { dropsParams }: CompatRules, { trace }: CallContext): void {
  trace.losses.push(...compacted(losses));
  if (dropsParams && losses.length > 0) trace.tellsLosses = true;
}

const travelsVerbatim = (deployment: Deployment, source: BodySource, model: string): boolean =>
  deployment.adjust === undefined || deployment.mayAdjust?.(source, model) === false;

/** Without being asked, OpenAI's format does not tell the token counts of a stream. */
function extraMembers(
  { streamOptions }: Deployment,
  codec: CodecId,
  request: ChatRequest,
  source: BodySource,
): string | undefined {
  const asks = codec === 'openai-chat' && request.stream && streamOptions !== false;
  return asks && !source.has('stream_options') ? INCLUDE_USAGE : undefined;
}
