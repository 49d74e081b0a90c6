import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { type Asked, EMBEDDING_MODELS, MODELS, type Said, type Scene, startScene, VECTOR } from './scene.ts';

/** What an answer says of itself, as far as the client shows it. */
export interface Told {
  readonly text: string;
  readonly inputTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
}

/** A client library, asked to do what its users do. Each call of it is one of its own ways; retries are off. */
export interface Client {
  chat(model: string, prompt: string, signal?: AbortSignal): Promise<Told>;
  /** The text as it comes. */
  stream(model: string, prompt: string, signal?: AbortSignal): AsyncIterable<string>;
  /** Offers one tool, `weather` of a `city`, runs it as long as the model calls it, and gives the last text. */
  useTool(model: string, weather: (city: string) => string): Promise<string>;
  /** Asks for a `FORECAST`. */
  structured(model: string): Promise<unknown>;
  look(model: string, png: string): Promise<string>;
  /** What its own error for a status looks like. */
  failure(status: number): unknown;
  /** It drops the signal, or leaves a rejection behind that nobody can catch. */
  readonly cannotLeave?: true;
  /** It sends the results of one turn as several, which the real Gemini refuses with or without a gateway. */
  readonly sendsResultsApart?: true;
  embed?(model: string, texts: string[]): Promise<number[][]>;
  models?(): Promise<string[]>;
}

/** A schema that every client can ask for. */
export const FORECAST = {
  type: 'object',
  properties: { city: { type: 'string' }, degrees: { type: 'number' } },
  required: ['city', 'degrees'],
  additionalProperties: false,
} as const;

export const WEATHER = {
  name: 'weather',
  description: 'The weather of a city',
  schema: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
} as const;

/** A picture of one dot. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** A call for each city in one turn, then the answer. */
const callsWeather =
  (cities: readonly string[]) =>
  ({ hasResults, text }: Asked): Said => {
    if (hasResults) return { thinking: 'I know now.', text: `Told of ${/sunny in \w+|cold in \w+/.exec(text)?.[0]}.` };
    const call = (city: string) => ({ name: 'weather', input: { city } });
    return { thinking: 'I must look.', text: 'Let me see.', calls: cities.map(call) };
  };

/** As a text or, where the client asks for data by a tool, as a call of it. */
const givesForecast = ({ tools }: Asked): Said => {
  const forecast: JsonObject = { city: 'Oslo', degrees: 7.5 };
  const [tool] = tools;
  return tool === undefined ? { text: JSON.stringify(forecast) } : { calls: [{ name: tool, input: forecast }] };
};

const textOfStream = async (pieces: AsyncIterable<string>): Promise<string[]> => {
  const texts: string[] = [];
  for await (const piece of pieces) if (piece !== '') texts.push(piece);
  return texts;
};

/** Everything a client library does with a gateway, on every format upstream. */
export function testClient(name: string, connect: (url: string) => Client): void {
  let scene: Scene;
  let client: Client;
  beforeAll(async () => {
    scene = await startScene();
    client = connect(scene.gateway.url);
  });
  afterAll(() => scene.close());
  // what it can do is known without a gateway
  const { embed, models, cannotLeave } = connect('http://127.0.0.1:9');

  describe.each(MODELS)(`${name} on %s`, (model) => {
    test('is answered, with its tokens', async () => {
      scene.says(() => ({ text: 'Good morning to you.' }));
      const { text, inputTokens, outputTokens } = await client.chat(model, 'Say hello');
      expect({ text, inputTokens, outputTokens }).toEqual({
        text: 'Good morning to you.',
        inputTokens: 100,
        outputTokens: 20,
      });
      expect(scene.asked).toHaveLength(1);
      expect(scene.asked[0]?.text).toContain('Say hello');
    });

    test('is answered as it comes', async () => {
      scene.says(() => ({ thinking: 'Hm, what to say.', text: 'Good morning to you.' }));
      const texts = await textOfStream(client.stream(model, 'Say hello'));
      expect(texts.join('')).toBe('Good morning to you.');
      expect(scene.asked[0]?.request.stream).toBe(true);
    });

    test('runs its own tool twice in one turn, and both results reach the model', async () => {
      const isApart = client.sendsResultsApart && model.startsWith('gemini/');
      const cities = isApart ? ['Oslo'] : ['Oslo', 'Rome'];
      scene.says(callsWeather(cities));
      const asked: string[] = [];
      const text = await client.useTool(model, (city) => {
        asked.push(city);
        return city === 'Oslo' ? 'cold in Oslo' : 'sunny in Rome';
      });
      expect(text).toMatch(/Told of (cold in Oslo|sunny in Rome)\./);
      expect(asked.toSorted()).toEqual(cities);
      const last = scene.asked.at(-1)?.text;
      expect(last).toContain('cold in Oslo');
      if (!isApart) expect(last).toContain('sunny in Rome');
    });

    test('gets data in the form it asks for', async () => {
      scene.says(givesForecast);
      expect(await client.structured(model)).toEqual({ city: 'Oslo', degrees: 7.5 });
      expect(scene.asked[0]?.text).toContain('degrees');
    });

    test('shows it a picture', async () => {
      scene.says(() => ({ text: 'A red dot.' }));
      expect(await client.look(model, PNG)).toBe('A red dot.');
      expect(scene.asked[0]?.text).toContain(PNG);
    });

    test.each([400, 401, 404, 429, 500])(
      'meets a %i as an error of its own, with the words of the provider',
      async (status) => {
        scene.says(() => ({ status, message: `This is why: ${status}.` }));
        for (const ask of [
          () => client.chat(model, 'Say hello'),
          () => textOfStream(client.stream(model, 'Say hello')),
        ]) {
          const thrown: unknown = await ask().then(
            (told) => ({ told }),
            (error: unknown) => error,
          );
          expect(thrown).toEqual(client.failure(status));
          expect(thrown).toMatchObject({ message: expect.stringContaining(`This is why: ${status}.`) });
        }
      },
    );

    if (!cannotLeave)
      test('ends the request upstream when it leaves, before the first word and after it', async () => {
        scene.says(() => 'silence');
        const early = new AbortController();
        const asked = scene.nextAsked();
        const answer = client.chat(model, 'Say hello', early.signal).catch((error: unknown) => error);
        const first = await asked;
        early.abort();
        expect(await answer).toBeInstanceOf(Error);
        expect(await first.ended).toBe('cut');
        const late = new AbortController();
        const heard = (async () => {
          for await (const piece of client.stream(model, 'Say hello', late.signal)) if (piece !== '') late.abort();
        })().catch(() => undefined);
        expect(await (await scene.nextAsked()).ended).toBe('cut');
        await heard;
      });
  });

  if (embed) {
    test.each(EMBEDDING_MODELS)(`${name} gets embeddings of %s`, async (model) => {
      expect(await client.embed?.(model, ['one', 'two'])).toEqual([VECTOR, VECTOR]);
    });
  }
  if (models) {
    test(`${name} lists the models of every provider`, async () => {
      expect(await client.models?.()).toEqual(expect.arrayContaining([...MODELS]));
    });
  }
}
