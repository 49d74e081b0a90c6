import { ApiError, type Content, type GenerateContentResponse, GoogleGenAI } from '@google/genai';
import { expect } from 'vitest';
import { type Client, FORECAST, testClient, WEATHER } from './contract.ts';

const partsOf = ({ candidates }: GenerateContentResponse): NonNullable<Content['parts']> =>
  candidates?.[0]?.content?.parts ?? [];

testClient("Google's SDK", (url): Client => {
  const google = new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: `${url}/genai` } });
  const aborted = (signal?: AbortSignal) => (signal ? { config: { abortSignal: signal } } : {});
  return {
    failure: (status) => expect.toSatisfy((error) => error instanceof ApiError && error.status === status),
    async chat(model, contents, signal) {
      const { text, usageMetadata } = await google.models.generateContent({ model, contents, ...aborted(signal) });
      return {
        text: text ?? '',
        inputTokens: usageMetadata?.promptTokenCount,
        outputTokens: usageMetadata?.candidatesTokenCount,
      };
    },
    async *stream(model, contents, signal) {
      const stream = await google.models.generateContentStream({ model, contents, ...aborted(signal) });
      for await (const { text } of stream) yield text ?? '';
    },
    async useTool(model, weather) {
      const functionDeclarations = [
        { name: WEATHER.name, description: WEATHER.description, parametersJsonSchema: WEATHER.schema },
      ];
      const config = { tools: [{ functionDeclarations }], thinkingConfig: { includeThoughts: true } };
      const contents: Content[] = [{ role: 'user', parts: [{ text: 'How is the weather?' }] }];
      for (;;) {
        const parts: NonNullable<Content['parts']> = [];
        const stream = await google.models.generateContentStream({ model, contents, config });
        for await (const chunk of stream) parts.push(...partsOf(chunk));
        const calls = parts.flatMap(({ functionCall }) => (functionCall ? [functionCall] : []));
        if (calls.length === 0) return parts.map(({ text, thought }) => (thought ? '' : (text ?? ''))).join('');
        const results = calls.map(({ id, name, args }) => ({
          functionResponse: { ...(id && { id }), name: name ?? '', response: { output: weather(String(args?.city)) } },
        }));
        contents.push({ role: 'model', parts }, { role: 'user', parts: results });
      }
    },
    async structured(model) {
      const config = { responseMimeType: 'application/json', responseJsonSchema: FORECAST };
      const { text } = await google.models.generateContent({ model, contents: 'What is the forecast?', config });
      return JSON.parse(text ?? '');
    },
    async look(model, data) {
      const contents = [{ text: 'What is this?' }, { inlineData: { mimeType: 'image/png', data } }];
      return (await google.models.generateContent({ model, contents })).text ?? '';
    },
    async embed(model, contents) {
      const { embeddings } = await google.models.embedContent({ model, contents });
      return (embeddings ?? []).map(({ values }) => values ?? []);
    },
    async models() {
      const names: string[] = [];
      for await (const { name = '' } of await google.models.list({ config: { pageSize: 2 } })) {
        names.push(name.replace('models/', ''));
      }
      return names;
    },
  };
});
