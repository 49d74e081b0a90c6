import {
  Agent,
  type AgentInputItem,
  type Model,
  OpenAIChatCompletionsModel,
  OpenAIResponsesModel,
  Runner,
  tool,
} from '@openai/agents';
import OpenAI from 'openai';
import { expect } from 'vitest';
import { type Client, FORECAST, testClient, WEATHER } from './contract.ts';

const forecast = { type: 'json_schema', name: 'forecast', strict: true, schema: FORECAST } as const;

/** Agents run by the library's own loop, streamed and not. */
const clientOf = (modelOf: (name: string) => Model): Client => {
  const runner = new Runner({ tracingDisabled: true });
  const agent = (model: string) => new Agent({ name: 'Helper', instructions: 'Be brief.', model: modelOf(model) });
  const call = (signal?: AbortSignal) => (signal ? { signal } : {});
  return {
    failure: (status) => expect.objectContaining({ status }),
    async chat(model, prompt, signal) {
      const { finalOutput, state } = await runner.run(agent(model), prompt, call(signal));
      const { inputTokens, outputTokens } = state.usage;
      return { text: finalOutput ?? '', inputTokens, outputTokens };
    },
    async *stream(model, prompt, signal) {
      const run = await runner.run(agent(model), prompt, { stream: true, ...call(signal) });
      for await (const piece of run.toTextStream()) yield piece;
      await run.completed;
    },
    async useTool(model, weather) {
      const told = tool({
        name: WEATHER.name,
        description: WEATHER.description,
        strict: true,
        parameters: { ...WEATHER.schema, required: ['city'] },
        execute: (input) => weather((input as { city: string }).city),
      });
      const run = await runner.run(agent(model).clone({ tools: [told] }), 'How is the weather?', { stream: true });
      await run.completed;
      return run.finalOutput ?? '';
    },
    async structured(model) {
      const asked = new Agent({
        name: 'Helper',
        model: modelOf(model),
        outputType: { ...forecast, schema: { ...FORECAST, required: [...FORECAST.required] } },
      });
      return (await runner.run(asked, 'What is the forecast?')).finalOutput;
    },
    async look(model, png) {
      const image = `data:image/png;base64,${png}`;
      const content = [
        { type: 'input_text' as const, text: 'What is this?' },
        { type: 'input_image' as const, image },
      ];
      const input: AgentInputItem[] = [{ role: 'user', content }];
      return (await runner.run(agent(model), input)).finalOutput ?? '';
    },
  };
};

const connect = (url: string) => new OpenAI({ baseURL: `${url}/openai/v1`, apiKey: 'any', maxRetries: 0 });

testClient("OpenAI's Agents, Chat Completions", (url) =>
  clientOf((model) => new OpenAIChatCompletionsModel(connect(url), model)),
);

testClient("OpenAI's Agents, Responses", (url) => clientOf((model) => new OpenAIResponsesModel(connect(url), model)));
