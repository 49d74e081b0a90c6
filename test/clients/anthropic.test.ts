import Anthropic from '@anthropic-ai/sdk';
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema';
import { expect } from 'vitest';
import { type Client, FORECAST, testClient, WEATHER } from './contract.ts';

const CLASSES: Readonly<Record<number, unknown>> = {
  400: Anthropic.BadRequestError,
  401: Anthropic.AuthenticationError,
  404: Anthropic.NotFoundError,
  429: Anthropic.RateLimitError,
  500: Anthropic.InternalServerError,
};

const textOf = (content: readonly { type: string }[]): string =>
  content.flatMap((block) => ('text' in block && typeof block.text === 'string' ? [block.text] : [])).join('');

testClient("Anthropic's SDK", (url): Client => {
  const anthropic = new Anthropic({ baseURL: `${url}/anthropic`, apiKey: 'any', maxRetries: 0 });
  const saying = (model: string, content: Anthropic.MessageParam['content']) => ({
    model,
    max_tokens: 4_000,
    messages: [{ role: 'user' as const, content }],
  });
  return {
    failure: (status) => expect.any(CLASSES[status] ?? Error),
    async chat(model, prompt, signal) {
      const { content, usage } = await anthropic.messages.create(saying(model, prompt), signal && { signal });
      return { text: textOf(content), inputTokens: usage.input_tokens, outputTokens: usage.output_tokens };
    },
    async *stream(model, prompt, signal) {
      const stream = anthropic.messages.stream(saying(model, prompt), signal && { signal });
      for await (const event of stream) {
        if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') yield event.delta.text;
      }
      await stream.finalMessage();
    },
    async useTool(model, weather) {
      const tool = betaTool({
        name: WEATHER.name,
        description: WEATHER.description,
        inputSchema: WEATHER.schema,
        run: ({ city }) => weather(city),
      });
      const thinking = { type: 'enabled' as const, budget_tokens: 1_024 };
      // the runner would leave the conversation with Anthropic, which our upstream does not play
      const threads = model.startsWith('anthropic/') ? ({ thread: false } as const) : {};
      const request = { ...saying(model, 'How is the weather?'), thinking, tools: [tool], ...threads };
      const last = await anthropic.beta.messages.toolRunner(request).runUntilDone();
      return textOf(last.content);
    },
    async structured(model) {
      const format = { type: 'json_schema' as const, schema: FORECAST };
      const { parsed_output: parsed } = await anthropic.messages.parse({
        ...saying(model, 'What is the forecast?'),
        output_config: { format: { ...format, parse: (text: string): unknown => JSON.parse(text) } },
      });
      return parsed;
    },
    async look(model, data) {
      const source = { type: 'base64', media_type: 'image/png', data } as const;
      const content = [{ type: 'text', text: 'What is this?' } as const, { type: 'image', source } as const];
      return textOf((await anthropic.messages.create(saying(model, content))).content);
    },
    async models() {
      const ids: string[] = [];
      for await (const { id } of anthropic.models.list({ limit: 1 })) ids.push(id);
      return ids;
    },
  };
});
