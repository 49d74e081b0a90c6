import { isObject, type JsonObject } from '../../model/json.ts';
import type { AnswerWay } from '../server/exchange.ts';
import { errorText, type IncomingRequest, RPC_CODE, resultText } from '../server/json-rpc.ts';
import type { Entrance } from '../server/server.ts';
import { sessionOwner } from '../server/sessions.ts';
import { type ModernAnswer, modernAnswer } from './answer-text.ts';
import { OpenCall, type Outcome } from './open-call.ts';
import { argumentMismatch, parameterHeaders } from './parameter-headers.ts';
import { isOurState, ParkedCalls, type Ticket } from './parked-calls.ts';
import { MAY_NEED_INPUT, META, MODERN_CODE, MODERN_VERSION, metaOf, mirroredName, RETRY } from './protocol.ts';
import { type Fault, type RequestHeaders, requestFault } from './request-check.ts';

/** The gateway's server, as it serves the older era: the same catalog, filters, calls and logs for both. */
export interface OlderServer {
  answer(request: IncomingRequest, exchange: OpenCall): Promise<string | undefined>;
  /** What `initialize` would be answered with here. */
  presentation(entrance: Entrance): JsonObject;
  /** The input schema of a tool by the name it is called by, where the caller sees one. */
  schemaOf(name: string, entrance: Entrance): JsonObject | undefined;
}

const METHODS: ReadonlySet<string> = new Set([
  'server/discover',
  'tools/list',
  'tools/call',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'completion/complete',
  'subscriptions/listen',
]);

/**
 * The gateway as a server of 2026-07-28: each request is checked, put to the server of the older era, and its answer
 * written as this era has it. Nothing is kept between requests but calls that wait for their client's input.
 */
export class ModernServer {
  readonly #older: OlderServer;
  readonly #parked = new ParkedCalls();

  constructor(older: OlderServer) {
    this.#older = older;
  }

  close(): void {
    this.#parked.close();
  }

  /** Why a request is refused before anything is done for it. */
  fault({ method, params }: IncomingRequest, headers: RequestHeaders): Fault | undefined {
    const fault = requestFault(method, params, headers);
    if (fault || METHODS.has(method)) return fault;
    return { status: 404, code: RPC_CODE.methodNotFound, message: `Method not found: ${method}` };
  }

  /** The answer to a request without a fault; undefined when the client has gone. */
  async answer(
    request: IncomingRequest,
    entrance: Entrance,
    way: AnswerWay,
    headers: RequestHeaders,
  ): Promise<ModernAnswer | undefined> {
    const { id, method, params } = request;
    if (method === 'server/discover') return this.#discovered(request, entrance);
    const { requestState } = params;
    if (isOurState(requestState) && MAY_NEED_INPUT.has(method)) {
      const parked = this.#parked.take(requestState, ticketOf(request, entrance));
      if (!parked) return unknownState(request);
      const outcome = await parked.resume(way, isObject(params.inputResponses) ? params.inputResponses : {});
      return this.#written(request, entrance, parked, outcome);
    }
    const mismatch = method === 'tools/call' ? this.#parameterFault(params, entrance, headers) : undefined;
    if (mismatch !== undefined) {
      return { status: 400, text: errorText(id, MODERN_CODE.headerMismatch, `Header mismatch: ${mismatch}`) };
    }
    const call = new OpenCall({ ...entrance, id, way, envelope: metaOf(params) });
    const outcome = await call.begin(this.#older.answer({ ...request, params: inwards(params) }, call));
    return this.#written(request, entrance, call, outcome);
  }

  #discovered({ id }: IncomingRequest, entrance: Entrance): ModernAnswer {
    const { capabilities, serverInfo, instructions } = this.#older.presentation(entrance);
    const result = {
      supportedVersions: [MODERN_VERSION],
      capabilities,
      ...(instructions !== undefined && { instructions }),
      _meta: { [META.serverInfo]: serverInfo },
    };
    const text = resultText(id, JSON.stringify(result));
    return modernAnswer({ method: 'server/discover', id, begunAs: id, text, serverInfo });
  }

  #written(request: IncomingRequest, entrance: Entrance, call: OpenCall, outcome: Outcome): ModernAnswer | undefined {
    const { id, method } = request;
    if (!('text' in outcome)) {
      const requestState = this.#parked.park(call, ticketOf(request, entrance));
      const result = { resultType: 'input_required', inputRequests: outcome.inputRequests, requestState };
      return { status: 200, text: resultText(id, JSON.stringify(result)) };
    }
    if (outcome.text === undefined) return undefined;
    const { serverInfo } = this.#older.presentation(entrance);
    return modernAnswer({ method, id, begunAs: call.id, text: outcome.text, serverInfo });
  }

  #parameterFault(
    { name, arguments: args }: JsonObject,
    entrance: Entrance,
    headers: RequestHeaders,
  ): string | undefined {
    const schema = typeof name === 'string' ? this.#older.schemaOf(name, entrance) : undefined;
    const declared = schema && declaredIn(schema);
    if (!declared || typeof declared === 'string') return undefined;
    return argumentMismatch(declared, isObject(args) ? args : {}, headers);
  }
}

const ticketOf = ({ method, params }: IncomingRequest, { caller, scope, virtual }: Entrance): Ticket => ({
  method,
  name: mirroredName(method, params),
  place: scope ?? virtual?.name,
  owner: sessionOwner(caller),
});

const scanned = new WeakMap<JsonObject, ReturnType<typeof parameterHeaders>>();

/** Schemas live as long as the catalog does, and are looked through once. */
function declaredIn(schema: JsonObject): ReturnType<typeof parameterHeaders> {
  let declared = scanned.get(schema);
  if (declared === undefined) {
    declared = parameterHeaders(schema);
    scanned.set(schema, declared);
  }
  return declared;
}

/** What a retry carries beside its parameters goes inside `_meta`, to whichever server it is meant for. */
function inwards(params: JsonObject): JsonObject {
  const { inputResponses, requestState, ...rest } = params;
  if (inputResponses === undefined && requestState === undefined) return params;
  const retry = {
    ...(inputResponses !== undefined && { [RETRY.inputResponses]: inputResponses }),
    ...(requestState !== undefined && { [RETRY.requestState]: requestState }),
  };
  return { ...rest, _meta: { ...metaOf(params), ...retry } };
}

function unknownState({ id }: IncomingRequest): ModernAnswer {
  const reason = 'Invalid params: this requestState belongs to no request like this one, or has expired; start over';
  return { status: 200, text: errorText(id, RPC_CODE.invalidParams, reason) };
}
