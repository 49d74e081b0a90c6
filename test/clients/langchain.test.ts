import { ChatAnthropic } from '@langchain/anthropic';
import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import {
  type AIMessageChunk,
  type BaseMessage,
  type ContentBlock,
  HumanMessage,
  ToolMessage,
  type UsageMetadata,
} from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatGoogleGenerativeAI, GoogleGenerativeAIEmbeddings } from '@langchain/google-genai';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { expect } from 'vitest';
import { type Client, FORECAST, testClient, WEATHER } from './contract.ts';

type Chat = (model: string) => BaseChatModel;

/** The picture in the words of the model class. */
type Picture = (png: string) => ContentBlock;

const imageUrl: Picture = (png) => ({ type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } });

const call = (signal?: AbortSignal) => (signal ? { signal } : {});

/** ChatGoogleGenerativeAI takes other pictures only for models whose names begin as Google's do. */
const media: Picture = (data) => ({ type: 'media', mimeType: 'image/png', data });

const clientOf = (
  chat: Chat,
  more: Pick<Client, 'embed' | 'cannotLeave' | 'sendsResultsApart'> = {},
  picture = imageUrl,
): Client => ({
  ...more,
  failure: (status) => expect.objectContaining({ status }),
  async chat(model, prompt, signal) {
    const answer = await chat(model).invoke(prompt, call(signal));
    // its type leaves open what the answer is for tools of any kind
    const usage = answer.usage_metadata as UsageMetadata | undefined;
    return { text: answer.text, inputTokens: usage?.input_tokens, outputTokens: usage?.output_tokens };
  },
  async *stream(model, prompt, signal) {
    for await (const { text } of await chat(model).stream(prompt, call(signal))) yield text;
  },
  async useTool(model, weather) {
    const schema = { ...WEATHER.schema, required: [...WEATHER.schema.required] };
    const run = tool((input: unknown) => weather((input as { city: string }).city), { ...WEATHER, schema });
    const bound = chat(model).bindTools?.([run]);
    if (!bound) throw new Error('this model class takes no tools');
    const messages: BaseMessage[] = [new HumanMessage('How is the weather?')];
    for (;;) {
      let answer: AIMessageChunk | undefined;
      for await (const chunk of await bound.stream(messages)) answer = answer?.concat(chunk) ?? chunk;
      if (!answer?.tool_calls?.length) return answer?.text ?? '';
      messages.push(answer);
      for (const made of answer.tool_calls)
        messages.push(new ToolMessage({ content: await run.invoke(made.args), tool_call_id: made.id ?? '' }));
    }
  },
  structured: (model) =>
    chat(model)
      .withStructuredOutput({ ...FORECAST, title: 'forecast' })
      .invoke('What is the forecast?'),
  async look(model, png) {
    const content: ContentBlock[] = [{ type: 'text', text: 'What is this?' }, picture(png)];
    return (await chat(model).invoke([new HumanMessage({ content })])).text;
  },
});

const quiet = { maxRetries: 0, apiKey: 'any' };

const openai =
  (url: string, useResponsesApi: boolean): Chat =>
  (model) =>
    new ChatOpenAI({ ...quiet, model, useResponsesApi, configuration: { baseURL: `${url}/langchain/v1` } });

testClient("LangChain's ChatOpenAI", (url) =>
  clientOf(openai(url, false), {
    embed: (model, texts) =>
      new OpenAIEmbeddings({ ...quiet, model, configuration: { baseURL: `${url}/openai/v1` } }).embedDocuments(texts),
  }),
);

testClient("LangChain's ChatOpenAI, Responses", (url) => clientOf(openai(url, true)));

testClient("LangChain's ChatAnthropic", (url) =>
  clientOf((model) => new ChatAnthropic({ ...quiet, model, maxTokens: 4_000, anthropicApiUrl: `${url}/anthropic` })),
);

testClient("LangChain's ChatGoogleGenerativeAI", (url) =>
  clientOf(
    (model) => new ChatGoogleGenerativeAI({ ...quiet, model, baseUrl: `${url}/genai` }),
    {
      cannotLeave: true,
      sendsResultsApart: true,
      embed: (model, texts) =>
        new GoogleGenerativeAIEmbeddings({ ...quiet, model, baseUrl: `${url}/genai` }).embedDocuments(texts),
    },
    media,
  ),
);
