import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import {
  APICallError,
  type EmbeddingModel,
  embedMany,
  generateText,
  jsonSchema,
  type LanguageModel,
  Output,
  stepCountIs,
  streamText,
  tool,
} from 'ai';
import { expect } from 'vitest';
import { type Client, FORECAST, testClient, WEATHER } from './contract.ts';

// what it thinks of a model's settings is no result
globalThis.AI_SDK_LOG_WARNINGS = false;

interface Provider {
  readonly chat: (model: string) => LanguageModel;
  readonly embedding?: (model: string) => EmbeddingModel;
}

const once = (signal?: AbortSignal) => ({ maxRetries: 0, ...(signal && { abortSignal: signal }) });

/** Streams give what goes wrong as a part, so that it is not written on the console. */
async function* textOf(stream: AsyncIterable<{ type: string; text?: string; error?: unknown }>) {
  for await (const part of stream) {
    if (part.type === 'error') throw part.error;
    if (part.type === 'abort') throw new Error('aborted');
    if (part.type === 'text-delta') yield part.text ?? '';
  }
}

const clientOf = ({ chat, embedding }: Provider): Client => ({
  failure: (status) => expect.toSatisfy((error) => APICallError.isInstance(error) && error.statusCode === status),
  async chat(model, prompt, signal) {
    const { text, usage } = await generateText({ model: chat(model), prompt, ...once(signal) });
    return { text, inputTokens: usage.inputTokens, outputTokens: usage.outputTokens };
  },
  stream(model, prompt, signal) {
    const { fullStream } = streamText({ model: chat(model), prompt, onError: () => {}, ...once(signal) });
    return textOf(fullStream);
  },
  async useTool(model, weather) {
    const result = streamText({
      model: chat(model),
      prompt: 'How is the weather?',
      stopWhen: stepCountIs(4),
      tools: {
        weather: tool({
          description: WEATHER.description,
          inputSchema: jsonSchema<{ city: string }>(WEATHER.schema),
          execute: ({ city }) => weather(city),
        }),
      },
      ...once(),
    });
    return result.text;
  },
  async structured(model) {
    const output = Output.object({ schema: jsonSchema(FORECAST), name: 'forecast' });
    return (await generateText({ model: chat(model), prompt: 'What is the forecast?', output, ...once() })).output;
  },
  async look(model, image) {
    const content = [
      { type: 'text' as const, text: 'What is this?' },
      { type: 'image' as const, image },
    ];
    return (await generateText({ model: chat(model), messages: [{ role: 'user', content }], ...once() })).text;
  },
  ...(embedding && {
    embed: async (model, values) => (await embedMany({ model: embedding(model), values, ...once() })).embeddings,
  }),
});

const apiKey = 'any';
const openai = (url: string) => createOpenAI({ baseURL: `${url}/openai/v1`, apiKey });

testClient("Vercel's AI SDK, OpenAI's chat", (url) =>
  clientOf({ chat: (model) => openai(url).chat(model), embedding: (model) => openai(url).embeddingModel(model) }),
);

testClient("Vercel's AI SDK, OpenAI's responses", (url) => clientOf({ chat: (model) => openai(url).responses(model) }));

testClient("Vercel's AI SDK, Anthropic's", (url) => {
  const anthropic = createAnthropic({ baseURL: `${url}/anthropic/v1`, apiKey });
  return clientOf({ chat: (model) => anthropic(model) });
});

testClient("Vercel's AI SDK, Google's", (url) => {
  const google = createGoogleGenerativeAI({ baseURL: `${url}/genai/v1beta`, apiKey });
  return clientOf({ chat: (model) => google(model), embedding: (model) => google.embeddingModel(model) });
});
