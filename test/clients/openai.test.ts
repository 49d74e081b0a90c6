import OpenAI from 'openai';
import type { RunnableToolFunctionWithParse } from 'openai/lib/RunnableFunction';
import type { ChatCompletionMessageParam } from 'openai/resources';
import type { ResponseInputItem } from 'openai/resources/responses/responses';
import { expect } from 'vitest';
import { type Client, FORECAST, testClient, WEATHER } from './contract.ts';

const connect = (url: string) => new OpenAI({ baseURL: `${url}/openai/v1`, apiKey: 'any', maxRetries: 0 });

const CLASSES: Readonly<Record<number, unknown>> = {
  400: OpenAI.BadRequestError,
  401: OpenAI.AuthenticationError,
  404: OpenAI.NotFoundError,
  429: OpenAI.RateLimitError,
  500: OpenAI.InternalServerError,
};

const failure = (status: number): unknown => expect.any(CLASSES[status] ?? Error);

const beside = (openai: OpenAI): Pick<Client, 'failure' | 'embed' | 'models'> => ({
  failure,
  embed: async (model, input) =>
    (await openai.embeddings.create({ model, input })).data.map(({ embedding }) => embedding),
  models: async () => (await openai.models.list()).data.map(({ id }) => id),
});

const cityOf = (text: string): string => String((JSON.parse(text) as { city: unknown }).city);

function chatClient(url: string): Client {
  const openai = connect(url);
  const user = (content: string): ChatCompletionMessageParam[] => [{ role: 'user', content }];
  return {
    ...beside(openai),
    async chat(model, prompt, signal) {
      const request = { model, messages: user(prompt) };
      const { choices, usage } = await openai.chat.completions.create(request, signal && { signal });
      return {
        text: choices[0]?.message.content ?? '',
        inputTokens: usage?.prompt_tokens,
        outputTokens: usage?.completion_tokens,
      };
    },
    async *stream(model, prompt, signal) {
      const stream = openai.chat.completions.stream({ model, messages: user(prompt) }, signal && { signal });
      for await (const chunk of stream) yield chunk.choices[0]?.delta.content ?? '';
      await stream.finalChatCompletion();
    },
    async useTool(model, weather) {
      const tool: RunnableToolFunctionWithParse<{ city: string }> = {
        type: 'function',
        function: {
          name: WEATHER.name,
          description: WEATHER.description,
          parameters: { ...WEATHER.schema, required: ['city'] },
          parse: (text) => ({ city: cityOf(text) }),
          function: ({ city }) => weather(city),
        },
      };
      const runner = openai.chat.completions.runTools({
        model,
        stream: true,
        messages: user('How is the weather?'),
        tools: [tool],
      });
      return (await runner.finalContent()) ?? '';
    },
    async structured(model) {
      const { choices } = await openai.chat.completions.parse({
        model,
        messages: user('What is the forecast?'),
        response_format: { type: 'json_schema', json_schema: { name: 'forecast', schema: FORECAST, strict: true } },
      });
      return choices[0]?.message.parsed;
    },
    async look(model, png) {
      const picture = { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } } as const;
      const { choices } = await openai.chat.completions.create({
        model,
        messages: [{ role: 'user', content: [{ type: 'text', text: 'What is this?' }, picture] }],
      });
      return choices[0]?.message.content ?? '';
    },
  };
}

function responsesClient(url: string): Client {
  const openai = connect(url);
  const tool = {
    type: 'function',
    name: WEATHER.name,
    description: WEATHER.description,
    parameters: WEATHER.schema,
    strict: true,
  } as const;
  return {
    ...beside(openai),
    async chat(model, input, signal) {
      const { output_text: text, usage } = await openai.responses.create({ model, input }, signal && { signal });
      return { text, inputTokens: usage?.input_tokens, outputTokens: usage?.output_tokens };
    },
    async *stream(model, input, signal) {
      const stream = openai.responses.stream({ model, input }, signal && { signal });
      for await (const event of stream) if (event.type === 'response.output_text.delta') yield event.delta;
      await stream.finalResponse();
    },
    async useTool(model, weather) {
      const input: ResponseInputItem[] = [{ role: 'user', content: 'How is the weather?' }];
      for (;;) {
        const request = { model, input, tools: [tool], store: false };
        const include = ['reasoning.encrypted_content' as const];
        const { output, output_text: text } = await openai.responses.create({ ...request, include });
        const calls = output.filter((item) => item.type === 'function_call');
        if (calls.length === 0) return text;
        // what was put out goes in again as it came
        input.push(...(output as ResponseInputItem[]));
        for (const { call_id, arguments: given } of calls) {
          input.push({ type: 'function_call_output', call_id, output: weather(cityOf(given)) });
        }
      }
    },
    async structured(model) {
      const { output_parsed: parsed } = await openai.responses.parse({
        model,
        input: 'What is the forecast?',
        text: { format: { type: 'json_schema', name: 'forecast', schema: FORECAST, strict: true } },
      });
      return parsed;
    },
    async look(model, png) {
      const picture = { type: 'input_image', image_url: `data:image/png;base64,${png}`, detail: 'auto' } as const;
      const content = [{ type: 'input_text', text: 'What is this?' } as const, picture];
      return (await openai.responses.create({ model, input: [{ role: 'user', content }] })).output_text;
    },
  };
}

testClient("OpenAI's SDK, Chat Completions", chatClient);
testClient("OpenAI's SDK, Responses", responsesClient);
