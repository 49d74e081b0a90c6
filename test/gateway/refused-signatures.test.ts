import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { strictGemini } from '../support/strict-gemini.ts';
import { objectOf, objectsOf, type StrictApi, type StrictUpstream, startStrict } from '../support/strict-server.ts';
import { eventsIn, type WalkingClient, walkingClients } from '../support/walking-clients.ts';

const MODEL = 'gemini/gemini-3-pro-preview';
const SKIP_MARKER = 'skip_thought_signature_validator';

const partsOf = (body: JsonObject): JsonObject[] => objectsOf(body.contents).flatMap(({ parts }) => objectsOf(parts));
const isSigned = ({ thoughtSignature: given }: JsonObject): boolean => given !== undefined && given !== SKIP_MARKER;

/** Signs its calls, and knows none of the signatures once they come back: the key is another one since. */
const forgetful: StrictApi = {
  ...strictGemini,
  rules: [
    {
      rule: 'signatures that cannot be read',
      source: 'Gemini API, reports of Gemini CLI and Roo Code',
      problem: ({ body }) => (partsOf(body).some(isSigned) ? 'Corrupted thought signature.' : undefined),
    },
    ...strictGemini.rules,
  ],
};

let upstream: StrictUpstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await startStrict(forgetful, ({ body }) =>
    partsOf(body).some(({ functionResponse }) => functionResponse)
      ? { text: 'It is blue.' }
      : {
          thinking: 'hm',
          calls: [
            { name: 'lookup', input: { step: 1 } },
            { name: 'lookup', input: { step: 2 } },
          ],
        },
  );
  gateway = await startGatewayHere({
    client: { enable_logging: false },
    providers: { gemini: keyed(`${upstream.url}/v1beta`) },
  });
});
afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

async function ask(client: WalkingClient, history: readonly JsonObject[], stream: boolean): Promise<JsonObject[]> {
  const answer = await post(`${gateway.url}${client.path(MODEL, stream)}`, client.body(history, MODEL, stream));
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  const whole: unknown = stream ? client.whole(eventsIn(text)) : JSON.parse(text);
  return client.kept(isObject(whole) ? whole : {});
}

describe.each(walkingClients.map((client) => [client.name, client] as const))('a %s client', (_name, client) => {
  test.each([
    ['that keeps all', false, false],
    ['that keeps all of a stream', true, false],
    ['that keeps nothing but ids', false, true],
  ])('%s is asked once more without the signatures that were refused', async (_how, stream, forgets) => {
    upstream.accepted.length = 0;
    upstream.refused.length = 0;
    const question = client.say('what colour?');
    const given = await ask(client, [question], stream);
    const kept = forgets ? client.forgetful(given) : given;
    const said = await ask(client, [question, ...kept, ...client.results(kept)], stream);
    expect(client.textOf(said)).toContain('It is blue.');
    expect(upstream.refused).toEqual(['Corrupted thought signature.']);
    const parts = partsOf(objectOf(upstream.accepted.at(-1)?.body));
    const calls = parts.flatMap(({ functionCall }) => (functionCall ? [objectOf(functionCall)] : []));
    const results = parts.flatMap(({ functionResponse }) => (functionResponse ? [objectOf(functionResponse)] : []));
    expect(calls.map(({ args }) => args)).toEqual([{ step: 1 }, { step: 2 }]);
    expect(results.map(({ id }) => id)).toEqual(calls.map(({ id }) => id));
    expect(JSON.stringify(calls)).not.toContain('_ts_');
  });
});
