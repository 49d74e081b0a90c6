import type { JsonObject } from '../../../src/model/json.ts';
import type { Unrecorded } from './unrecorded.ts';

export const usageMetadata: JsonObject = { promptTokenCount: 11, candidatesTokenCount: 7, totalTokenCount: 18 };
export const NAMES = { modelVersion: 'm', responseId: 'r1' };
export const parts = (...given: JsonObject[]): JsonObject => ({
  candidates: [{ content: { role: 'model', parts: given }, index: 0 }],
  ...NAMES,
});
export const ending = (finishReason: string, candidate: JsonObject = {}, more: JsonObject = {}): JsonObject => ({
  candidates: [{ finishReason, index: 0, ...candidate }],
  usageMetadata,
  ...NAMES,
  ...more,
});
export const whole = (
  given: JsonObject[],
  finishReason = 'STOP',
  candidate: JsonObject = {},
  more: JsonObject = {},
): JsonObject => ({
  candidates: [{ content: { role: 'model', parts: given }, finishReason, index: 0, ...candidate }],
  usageMetadata,
  ...NAMES,
  ...more,
});
const said = { text: 'x' };
export const PNG = 'iVBORw0KGgo=';
const grounding = {
  groundingMetadata: {
    webSearchQueries: ['q'],
    searchEntryPoint: { renderedContent: '<div>' },
    groundingChunks: [
      { web: { uri: 'https://a.test', title: 'A' } },
      { retrievedContext: { uri: 'https://b.test', title: 'B', text: 'w' } },
    ],
    groundingSupports: [
      {
        segment: { startIndex: 0, endIndex: 1, text: 'x' },
        groundingChunkIndices: [0, 1],
        confidenceScores: [0.9, 0.8],
      },
    ],
  },
};
const BLOCKS = ['SAFETY', 'OTHER', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'IMAGE_SAFETY', 'MODEL_ARMOR', 'JAILBREAK'];
const ENDS = [
  'RECITATION',
  'LANGUAGE',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
  'IMAGE_OTHER',
];
const OTHERS = [
  'OTHER',
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'NO_IMAGE',
  'MALFORMED_RESPONSE',
  'MISSING_THOUGHT_SIGNATURE',
  'TOMORROW',
];

const GEMINIS: readonly Omit<Unrecorded, 'format'>[] = [
  ...BLOCKS.map((blockReason) => ({
    what: `a prompt that was refused: ${blockReason}`,
    whole: {
      promptFeedback: { blockReason, blockReasonMessage: 'because', safetyRatings: [] },
      usageMetadata: { promptTokenCount: 11, totalTokenCount: 11 },
      ...NAMES,
    },
    says: { kind: 'refusal' as const, usage: { output: 0 } },
  })),
  ...ENDS.map((word) => ({
    what: `a text that ends with ${word}`,
    chunks: [
      parts({ text: 'up to ' }),
      parts({ text: 'here' }),
      ending(word, {
        finishMessage: 'because',
        safetyRatings: [{ category: 'HARM_CATEGORY_HARASSMENT', probability: 'HIGH', blocked: true }],
      }),
    ],
    whole: whole([{ text: 'up to here' }], word, { finishMessage: 'because' }),
    says: { text: 'up to here', kind: 'refusal' as const },
  })),
  ...OTHERS.map((word) => ({
    what: `a text that ends with ${word}`,
    chunks: [parts(said), ending(word, { finishMessage: 'because' })],
    whole: whole([said], word, { finishMessage: 'because' }),
    says: { ...said, kind: 'other' as const },
  })),
  {
    what: 'nothing but a broken call',
    chunks: [ending('MALFORMED_FUNCTION_CALL', { content: {}, finishMessage: 'Malformed function call: print(1)' })],
    whole: whole([], 'MALFORMED_FUNCTION_CALL'),
    says: { fails: 502 },
  },
  {
    what: 'thinking with and without signature, and one on an empty text',
    chunks: [
      parts({ text: 'h', thought: true }),
      parts({ text: 'm', thought: true, thoughtSignature: 'c2ln' }),
      parts(said),
      {
        ...parts({ text: '', thoughtSignature: 'bGFzdA==' }),
        usageMetadata: { ...usageMetadata, candidatesTokenCount: 3, thoughtsTokenCount: 4 },
      },
      { ...ending('STOP'), usageMetadata: { ...usageMetadata, candidatesTokenCount: 3, thoughtsTokenCount: 4 } },
    ],
    whole: whole(
      [{ text: 'hm', thought: true }, said, { text: '', thoughtSignature: 'bGFzdA==' }],
      'STOP',
      {},
      { usageMetadata: { ...usageMetadata, candidatesTokenCount: 3, thoughtsTokenCount: 4 } },
    ),
    says: { ...said, reasoning: 'hm', usage: { output: 7, reasoning: 4 } },
  },
  {
    what: 'the same function twice, with an id and without, the first one signed',
    chunks: [
      parts(
        { functionCall: { id: 'fc-1', name: 'look', args: { a: 1 } }, thoughtSignature: 'c2ln' },
        { functionCall: { name: 'look', args: { a: 2 } } },
      ),
      parts({ functionCall: { name: 'look' } }, { functionCall: { name: 'none', args: null } }),
      ending('STOP'),
    ],
    whole: whole([
      { functionCall: { id: 'fc-1', name: 'look', args: { a: 1 } }, thoughtSignature: 'c2ln' },
      { functionCall: { name: 'look', args: { a: 2 } } },
      { functionCall: { name: 'look' } },
      { functionCall: { name: 'none', args: null } },
    ]),
    says: {
      calls: [
        ['look', { a: 1 }],
        ['look', { a: 2 }],
        ['look', {}],
        ['none', {}],
      ],
    },
  },
  {
    what: 'code that ran, between texts',
    chunks: [
      parts({ text: 'So ' }),
      parts({ executableCode: { language: 'PYTHON', code: 'print(1)' } }),
      parts({ codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1\n' } }),
      parts({ text: 'one.' }),
      ending('STOP'),
    ],
    whole: whole([
      { text: 'So ' },
      { executableCode: { language: 'PYTHON', code: 'print(1)' } },
      { codeExecutionResult: { outcome: 'OUTCOME_FAILED', output: 'no' } },
      { text: 'one.' },
    ]),
    says: { text: 'So one.' },
    losses: [/content/],
  },
  {
    what: 'pictures, thought ones too',
    chunks: [
      parts({ text: 'Here: ' }),
      parts({ thought: true, inlineData: { mimeType: 'image/png', data: 'dGhvdWdodA==' } }),
      parts({ inlineData: { mimeType: 'image/png', data: PNG }, thoughtSignature: 'c2ln' }),
      ending('STOP'),
    ],
    whole: whole([{ text: 'Here: ' }, { inlineData: { mimeType: 'image/png', data: PNG } }]),
    says: { text: 'Here: ' },
    tells: { 'openai-chat': [PNG], 'openai-responses': [PNG], 'bedrock-converse': [PNG] },
  },
  {
    what: 'sound',
    chunks: [parts({ inlineData: { mimeType: 'audio/L16;codec=pcm;rate=24000', data: 'AAAA' } }), ending('STOP')],
    says: {},
    losses: [/./],
  },
  {
    what: 'pages, queries and read addresses',
    chunks: [
      parts(said),
      ending('STOP', {
        ...grounding,
        urlContextMetadata: {
          urlMetadata: [{ retrievedUrl: 'https://c.test', urlRetrievalStatus: 'URL_RETRIEVAL_STATUS_SUCCESS' }],
        },
        citationMetadata: { citationSources: [{ startIndex: 0, endIndex: 1, uri: 'https://d.test', license: '' }] },
      }),
    ],
    whole: whole([said], 'STOP', grounding),
    says: { ...said },
    losses: [/groundingMetadata/],
    tells: Object.fromEntries(
      (['openai-chat', 'openai-responses', 'anthropic-messages', 'bedrock-converse'] as const).map((format) => [
        format,
        ['https://a.test', 'https://b.test'],
      ]),
    ),
  },
  {
    what: 'two candidates by turns',
    chunks: [
      {
        candidates: [
          { content: { role: 'model', parts: [{ text: 'two ' }] }, index: 1 },
          { content: { role: 'model', parts: [{ text: 'one ' }] }, index: 0 },
        ],
        ...NAMES,
      },
      {
        candidates: [{ content: { role: 'model', parts: [{ text: 'two' }] }, index: 1, finishReason: 'STOP' }],
        ...NAMES,
      },
      {
        candidates: [{ content: { role: 'model', parts: [{ text: 'one' }] }, index: 0, finishReason: 'STOP' }],
        usageMetadata,
        ...NAMES,
      },
    ],
    says: { text: 'one one' },
    losses: [/candidates/],
  },
  {
    what: 'counts of every kind',
    chunks: [
      parts(said),
      ending(
        'STOP',
        {},
        {
          usageMetadata: {
            promptTokenCount: 11,
            cachedContentTokenCount: 4,
            candidatesTokenCount: 3,
            thoughtsTokenCount: 4,
            toolUsePromptTokenCount: 9,
            totalTokenCount: 27,
            promptTokensDetails: [{ modality: 'TEXT', tokenCount: 11 }],
            cacheTokensDetails: [{ modality: 'TEXT', tokenCount: 4 }],
            trafficType: 'ON_DEMAND',
          },
        },
      ),
    ],
    says: { ...said, usage: { output: 7, cacheRead: 4, reasoning: 4 } },
  },
  {
    what: 'contents without parts, and parts without anything',
    chunks: [
      { candidates: [{ content: { role: 'model' }, index: 0 }], ...NAMES },
      parts(),
      parts({}),
      parts({ text: '' }),
      parts(said),
      { candidates: [{ content: {}, index: 0 }], ...NAMES },
      ending('STOP', { content: { role: 'model' } }),
    ],
    says: { ...said },
  },
  {
    what: 'names in snake_case',
    chunks: [
      {
        candidates: [
          {
            content: {
              role: 'model',
              parts: [
                { text: 'hm', thought: true, thought_signature: 'c2ln' },
                said,
                { function_call: { name: 'look', args: { snake_key: 1 } } },
              ],
            },
          },
        ],
        model_version: 'm',
        response_id: 'r1',
      },
      {
        candidates: [{ finish_reason: 'STOP' }],
        usage_metadata: { prompt_token_count: 11, candidates_token_count: 7 },
      },
    ],
    says: { ...said, reasoning: 'hm', calls: [['look', { snake_key: 1 }]] },
  },
  {
    what: 'arguments in pieces',
    chunks: [
      parts({ functionCall: { name: 'look', willContinue: true } }),
      parts({
        functionCall: { partialArgs: [{ jsonPath: '$.q', stringValue: 'a ', willContinue: true }], willContinue: true },
      }),
      parts({
        functionCall: {
          partialArgs: [
            { jsonPath: '$.q', stringValue: 'b' },
            { jsonPath: '$.n', numberValue: 2 },
            { jsonPath: '$.l[0]', boolValue: true },
            { jsonPath: '$.z', nullValue: 'NULL_VALUE' },
          ],
          willContinue: true,
        },
      }),
      parts({ functionCall: {} }),
      ending('STOP'),
    ],
    says: { calls: [['look', { q: 'a b', n: 2, l: [true], z: null }]] },
  },
  {
    what: 'an error in the middle',
    chunks: [parts(said), { error: { code: 503, message: 'The model is overloaded', status: 'UNAVAILABLE' } }],
    says: { fails: undefined },
  },
  {
    what: 'an error before anything',
    chunks: [{ error: { code: 429, message: 'Quota', status: 'RESOURCE_EXHAUSTED' } }],
    says: { fails: 429 },
  },
  {
    what: 'a file',
    whole: whole([said, { fileData: { mimeType: 'image/png', fileUri: 'https://files.test/1' } }]),
    says: {
      ...said,
      texts: {
        'anthropic-messages': 'x![image/png](https://files.test/1)',
        'bedrock-converse': 'x![image/png](https://files.test/1)',
      },
    },
    tells: { 'openai-chat': ['https://files.test/1'] },
  },
  {
    what: 'the limit in its thoughts',
    chunks: [parts({ text: 'hm', thought: true }), ending('MAX_TOKENS')],
    whole: whole([{ text: 'hm', thought: true }], 'MAX_TOKENS'),
    says: { reasoning: 'hm', kind: 'length' },
  },
  {
    what: 'nothing at the limit',
    whole: { candidates: [{ finishReason: 'MAX_TOKENS', index: 0 }], usageMetadata, ...NAMES },
    says: { kind: 'length' },
  },
  {
    what: 'a search of its own, told as a part',
    chunks: [
      parts(
        { toolCall: { toolType: 'GOOGLE_SEARCH_WEB', args: { queries: ['x'] }, id: 't1' }, thoughtSignature: 'c2ln' },
        { toolResponse: { toolType: 'GOOGLE_SEARCH_WEB', response: { search_suggestions: 'y' }, id: 't1' } },
      ),
      parts(said),
      ending('STOP'),
    ],
    says: { ...said },
    losses: [/content/],
  },
];

export const UNRECORDED_GEMINIS: readonly Unrecorded[] = GEMINIS.map((one) => ({ ...one, format: 'gemini' }));
