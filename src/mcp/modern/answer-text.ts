import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { errorText, type JsonRpcId, RPC_CODE, resultText } from '../server/json-rpc.ts';
import { META, MODERN_CODE } from './protocol.ts';

/** A JSON-RPC answer and the HTTP status that goes with it. */
export interface ModernAnswer {
  readonly status: number;
  readonly text: string;
}

/** Results that a client may keep; how long, and for whom, they must say. */
const CACHEABLE: ReadonlySet<string> = new Set([
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
]);

/** What the gateway shows depends on the caller, may change at any moment, and is cheap to ask for. */
const FRESHNESS = { ttlMs: 0, cacheScope: 'private' } as const;

/** Errors whose HTTP status the specification sets; every other one is an answer like a result. */
const STATUS: Readonly<Record<number, number>> = { [MODERN_CODE.missingCapability]: 400, [-32601]: 404 };

/** What the server of the older era answered. */
export interface OlderAnswer {
  readonly method: string;
  readonly id: JsonRpcId;
  /** The id that the call was begun with, in an earlier request where that asked for input. */
  readonly begunAs: JsonRpcId;
  readonly text: string;
  readonly serverInfo: JsonValue | undefined;
}

/** As every result begins. */
const headOf = (id: JsonRpcId): string => resultText(id, '{').slice(0, -1);

/**
 * The answer of the older era's server as this era writes it: results say their type and their freshness. Texts stay
 * texts: a large result is not parsed for that.
 */
export function modernAnswer({ method, id, begunAs, text, serverInfo }: OlderAnswer): ModernAnswer {
  const begun = headOf(begunAs);
  if (!text.startsWith(begun)) return modernError(id, text);
  const body = text.slice(begun.length);
  // Whatever came from a server of this era has these members already, somewhere.
  if (/"(resultType|ttlMs|cacheScope)":/.test(body))
    return { status: 200, text: resultText(id, stamped(method, text)) };
  const members = [
    '"resultType":"complete"',
    ...(CACHEABLE.has(method) ? [`"ttlMs":${FRESHNESS.ttlMs},"cacheScope":"${FRESHNESS.cacheScope}"`] : []),
    ...(body.includes('"_meta":') ? [] : [`"_meta":${JSON.stringify({ [META.serverInfo]: serverInfo })}`]),
  ].join(',');
  return { status: 200, text: `${headOf(id)}${members}${body.startsWith('}') ? '' : ','}${body}` };
}

function stamped(method: string, text: string): string {
  const answer: unknown = JSON.parse(text);
  const result = isObject(answer) && isObject(answer.result) ? answer.result : {};
  if (result.resultType === 'input_required') {
    const { content: _, ...asked } = result;
    return JSON.stringify(asked);
  }
  const freshness = CACHEABLE.has(method) ? FRESHNESS : {};
  return JSON.stringify({ resultType: 'complete', ...freshness, ...result });
}

function modernError(id: JsonRpcId, text: string): ModernAnswer {
  const answer: unknown = JSON.parse(text);
  const error = isObject(answer) && isObject(answer.error) ? answer.error : {};
  const inputRequests = error.code === RPC_CODE.urlElicitationRequired ? visitsIn(error.data) : undefined;
  if (inputRequests)
    return { status: 200, text: resultText(id, JSON.stringify({ resultType: 'input_required', inputRequests })) };
  const code = error.code === RPC_CODE.resourceNotFound ? RPC_CODE.invalidParams : Number(error.code);
  return { status: STATUS[code] ?? 200, text: errorText(id, code, String(error.message), error.data) };
}

/** The URLs of an error -32042, which this era asks for in the answer; the retry is a new try. */
function visitsIn(data: JsonValue | undefined): JsonObject | undefined {
  const elicitations = isObject(data) && Array.isArray(data.elicitations) ? data.elicitations.filter(isObject) : [];
  if (elicitations.length === 0) return undefined;
  const requests = elicitations.map(({ elicitationId: _, ...params }, index) => [
    `visit-${index + 1}`,
    { method: 'elicitation/create', params: { ...params, mode: 'url' } },
  ]);
  return Object.fromEntries(requests);
}
