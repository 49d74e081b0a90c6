import type { CodecId } from '../../src/model/content.ts';
import type { JsonObject } from '../../src/model/json.ts';

// Odd but legal requests, after the reference of each API: what clients seldom send, and what is easily lost.

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk';
const PDF = 'JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSPj4K';
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';
const SCHEMA: JsonObject = { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] };

const marked: JsonObject = { cache_control: { type: 'ephemeral', ttl: '1h' } };

const anthropic = (messages: JsonObject[], more: JsonObject = {}): JsonObject => ({
  max_tokens: 900,
  messages,
  ...more,
});
const claudeTool: JsonObject = { name: 'lookup_place', description: 'Looks a place up.', input_schema: SCHEMA };
const claudeUse = (id: string, place: string): JsonObject => ({
  type: 'tool_use',
  id,
  name: 'lookup_place',
  input: { place },
});
const claudeUser = (text: string): JsonObject => ({ role: 'user', content: text });

const MESSAGES: Readonly<Record<string, JsonObject>> = {
  'a turn of the assistant at the end': anthropic([
    claudeUser('One word please'),
    { role: 'assistant', content: 'The word is' },
  ]),
  'cache marks everywhere': anthropic(
    [{ role: 'user', content: [{ type: 'text', text: 'cached question', ...marked }] }],
    {
      system: [{ type: 'text', text: 'cached system words', ...marked }],
      tools: [{ ...claudeTool, ...marked }],
      ...marked,
    },
  ),
  'results with a picture, a document and an error': anthropic(
    [
      claudeUser('Look there'),
      { role: 'assistant', content: [claudeUse('toolu_picture', 'harbour'), claudeUse('toolu_failure', 'station')] },
      {
        role: 'user',
        content: [
          {
            type: 'tool_result',
            tool_use_id: 'toolu_picture',
            content: [
              { type: 'text', text: 'the harbour by night' },
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
            ],
          },
          { type: 'tool_result', tool_use_id: 'toolu_failure', is_error: true, content: 'the station is closed' },
          { type: 'text', text: 'what do you see' },
        ],
      },
    ],
    { tools: [claudeTool] },
  ),
  'a result without content': anthropic(
    [
      claudeUser('Look there'),
      { role: 'assistant', content: [claudeUse('toolu_silent', 'harbour')] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_silent' }] },
    ],
    { tools: [claudeTool] },
  ),
  'text between calls': anthropic(
    [
      claudeUser('Look twice'),
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'first the harbour' },
          claudeUse('toolu_one', 'harbour'),
          { type: 'text', text: 'then the station' },
          claudeUse('toolu_two', 'station'),
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'toolu_one', content: 'ships lie there' },
          { type: 'tool_result', tool_use_id: 'toolu_two', content: 'trains stand there' },
        ],
      },
    ],
    { tools: [claudeTool] },
  ),
  'redacted thinking': anthropic([
    claudeUser('Think about it'),
    {
      role: 'assistant',
      content: [
        { type: 'redacted_thinking', data: 'cmVkYWN0ZWQgdGhvdWdodHM' },
        { type: 'text', text: 'it is done' },
      ],
    },
    claudeUser('Go on then'),
  ]),
  'documents of every source': anthropic([
    {
      role: 'user',
      content: [
        {
          type: 'document',
          source: { type: 'base64', media_type: 'application/pdf', data: PDF },
          title: 'the harbour plan',
          context: 'drawn last year',
          citations: { enabled: true },
        },
        { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'plain words of a file' } },
        { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'a chunk of content' }] } },
        { type: 'document', source: { type: 'url', url: 'https://files.test/plan.pdf' } },
        { type: 'document', source: { type: 'file', file_id: 'file_abcdefgh' } },
        {
          type: 'search_result',
          source: 'https://search.test/one',
          title: 'a search result',
          content: [{ type: 'text', text: 'what the search found' }],
        },
        { type: 'text', text: 'compare them all' },
      ],
    },
  ]),
  'tier, person, place and container': anthropic([claudeUser('Good morning')], {
    service_tier: 'standard_only',
    metadata: { user_id: 'person-0123456789' },
    inference_geo: 'us',
    container: 'container_abcdef',
    stop_sequences: ['END_OF_WORDS'],
    top_k: 40,
  }),
  'a system message in the middle': anthropic([
    claudeUser('Good morning'),
    { role: 'assistant', content: 'Morning to you' },
    claudeUser('Anything new today'),
    { role: 'system', content: 'the date has changed' },
  ]),
  'thinking of a kind that is new, and a known tool made strict': anthropic([claudeUser('Good morning')], {
    thinking: { type: 'between_tools' },
    tools: [{ type: 'bash_20250124', name: 'bash', strict: true }],
    fallbacks: [{ model: 'claude-another-one' }],
  }),
  'marks on a call, on its result and inside of it': anthropic(
    [
      claudeUser('Look twice'),
      {
        role: 'assistant',
        content: [{ ...claudeUse('toolu_one', 'harbour'), ...marked }, claudeUse('toolu_two', 'x')],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'toolu_one', content: 'ships lie there', ...marked },
          {
            type: 'tool_result',
            tool_use_id: 'toolu_two',
            content: [{ type: 'text', text: 'trains stand there', ...marked }],
          },
        ],
      },
    ],
    { tools: [claudeTool] },
  ),
  'a document at an address, with a title': anthropic([
    {
      role: 'user',
      content: [
        { type: 'text', text: 'read it' },
        { type: 'document', source: { type: 'url', url: 'https://files.test/plan.pdf' }, title: 'the harbour plan' },
      ],
    },
  ]),
  'examples of a tool': anthropic([claudeUser('Good morning')], {
    tools: [
      { ...claudeTool, strict: true, input_examples: [{ place: 'an example place' }], allowed_callers: ['direct'] },
    ],
    tool_choice: { type: 'tool', name: 'lookup_place', disable_parallel_tool_use: true },
  }),
};

const chat = (messages: JsonObject[], more: JsonObject = {}): JsonObject => ({ messages, ...more });
const chatTool: JsonObject = {
  type: 'function',
  function: { name: 'lookup_place', description: 'Looks a place up.', parameters: SCHEMA, strict: false },
};
const chatCall = (id: string, place: string): JsonObject => ({
  id,
  type: 'function',
  function: { name: 'lookup_place', arguments: JSON.stringify({ place }) },
});

const CHAT: Readonly<Record<string, JsonObject>> = {
  'words of the developer, and named speakers': chat([
    { role: 'developer', content: [{ type: 'text', text: 'speak like a sailor' }] },
    { role: 'user', name: 'captain_ahab', content: 'Good morning' },
    { role: 'assistant', name: 'first_mate', content: 'Ahoy to you' },
    { role: 'user', content: 'Where is the whale' },
  ]),
  'several choices with probabilities': chat([{ role: 'user', content: 'Good morning' }], {
    n: 3,
    logprobs: true,
    top_logprobs: 5,
    logit_bias: { 1234: 50 },
    seed: 77_777,
    frequency_penalty: 0.25,
  }),
  'a refusal in the history': chat([
    { role: 'user', content: 'Do something bad' },
    { role: 'assistant', content: null, refusal: 'that would be wrong' },
    { role: 'user', content: 'Then something good' },
  ]),
  'audio, a file and a file id': chat([
    {
      role: 'user',
      content: [
        { type: 'input_audio', input_audio: { data: WAV, format: 'wav' } },
        { type: 'file', file: { filename: 'harbour.pdf', file_data: `data:application/pdf;base64,${PDF}` } },
        { type: 'file', file: { file_id: 'file-abcdefgh' } },
        { type: 'text', text: 'what is all this' },
      ],
    },
  ]),
  'results in parts, and calls without an answer': chat(
    [
      { role: 'user', content: 'Look there' },
      {
        role: 'assistant',
        content: '',
        tool_calls: [chatCall('call_harbour', 'harbour'), chatCall('call_station', 'station')],
      },
      {
        role: 'tool',
        tool_call_id: 'call_harbour',
        content: [
          { type: 'text', text: 'ships lie there' },
          { type: 'text', text: 'and some boats' },
        ],
      },
      { role: 'user', content: 'forget the other one' },
    ],
    { tools: [chatTool] },
  ),
  'ids as some servers make them': chat(
    [
      { role: 'user', content: 'Look there' },
      { role: 'assistant', content: null, tool_calls: [chatCall('functions.lookup_place:0', 'harbour')] },
      { role: 'tool', tool_call_id: 'functions.lookup_place:0', content: 'ships lie there' },
    ],
    { tools: [chatTool] },
  ),
  'older functions': chat(
    [
      { role: 'user', content: 'Look there' },
      { role: 'assistant', content: null, function_call: { name: 'lookup_place', arguments: '{"place":"harbour"}' } },
      { role: 'function', name: 'lookup_place', content: 'ships lie there' },
    ],
    {
      functions: [{ name: 'lookup_place', description: 'Looks a place up.', parameters: SCHEMA }],
    },
  ),
  'an empty list of contents': chat([
    { role: 'user', content: [] },
    { role: 'user', content: [{ type: 'text', text: 'now I say it' }] },
  ]),
  'what is stored and cached': chat([{ role: 'user', content: 'Good morning' }], {
    store: true,
    metadata: { purpose: 'a test of fields' },
    prompt_cache_key: 'cache-key-0123',
    prompt_cache_retention: '24h',
    safety_identifier: 'safe-person-01',
    service_tier: 'priority',
    verbosity: 'low',
    prediction: { type: 'content', content: 'a predicted answer' },
    modalities: ['text', 'audio'],
    audio: { voice: 'alloy_voice', format: 'opus' },
  }),
  'a tool of free text': chat([{ role: 'user', content: 'Good morning' }], {
    tools: [
      { type: 'custom', custom: { name: 'write_poem', description: 'Writes a poem.', format: { type: 'text' } } },
    ],
  }),
  'thinking of another provider': chat([
    { role: 'user', content: 'Think about it' },
    { role: 'assistant', content: 'it is done', reasoning_content: 'first I thought so' },
    { role: 'user', content: 'Go on then' },
  ]),
};

const input = (items: JsonObject[], more: JsonObject = {}): JsonObject => ({ input: items, ...more });
const said = (text: string): JsonObject => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] });
const responsesTool: JsonObject = {
  type: 'function',
  name: 'lookup_place',
  description: 'Looks a place up.',
  parameters: SCHEMA,
  strict: false,
};

const RESPONSES: Readonly<Record<string, JsonObject>> = {
  'a plain text, and instructions': { input: 'Good morning', instructions: 'speak like a sailor' },
  'outputs with a picture and a file': input(
    [
      said('Look there'),
      { type: 'function_call', call_id: 'call_harbour', name: 'lookup_place', arguments: '{"place":"harbour"}' },
      {
        type: 'function_call_output',
        call_id: 'call_harbour',
        output: [
          { type: 'input_text', text: 'the harbour by night' },
          { type: 'input_image', image_url: `data:image/png;base64,${PNG}`, detail: 'high' },
          { type: 'input_file', filename: 'harbour.pdf', file_data: `data:application/pdf;base64,${PDF}` },
        ],
      },
    ],
    { tools: [responsesTool] },
  ),
  'a refusal, a phase and annotations in the history': input([
    said('Do something bad'),
    {
      type: 'message',
      id: 'msg_refused',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'refusal', refusal: 'that would be wrong' }],
    },
    said('Then something good'),
    {
      type: 'message',
      id: 'msg_answered',
      role: 'assistant',
      status: 'completed',
      phase: 'commentary',
      content: [
        {
          type: 'output_text',
          text: 'a kind word',
          annotations: [
            { type: 'url_citation', url: 'https://kind.test', title: 'kindness', start_index: 0, end_index: 6 },
          ],
        },
      ],
    },
    said('Go on then'),
  ]),
  'reasoning with and without its state': input([
    said('Think about it'),
    {
      type: 'reasoning',
      id: 'rs_sealed',
      summary: [{ type: 'summary_text', text: 'first I thought so' }],
      encrypted_content: 'c2VhbGVkIHRob3VnaHRz',
    },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'it is done' }] },
    said('Go on then'),
  ]),
  'everything about the exchange': input([said('Good morning')], {
    store: false,
    background: false,
    truncation: 'auto',
    max_tool_calls: 7_777,
    top_logprobs: 5,
    service_tier: 'flex',
    metadata: { purpose: 'a test of fields' },
    prompt_cache_key: 'cache-key-0123',
    safety_identifier: 'safe-person-01',
    include: ['message.output_text.logprobs'],
    reasoning: { effort: 'low', summary: 'detailed' },
    text: { verbosity: 'low', format: { type: 'json_schema', name: 'answer_form', schema: SCHEMA } },
  }),
  'free text and its output': input(
    [
      said('Change the file'),
      { type: 'custom_tool_call', call_id: 'call_patch', name: 'apply_patch', input: '*** Begin Patch' },
      { type: 'custom_tool_call_output', call_id: 'call_patch', output: 'the patch applies' },
    ],
    {
      tools: [
        {
          type: 'custom',
          name: 'apply_patch',
          description: 'Applies a patch.',
          format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' },
        },
      ],
    },
  ),
  'a picture and a file of the developer': input([
    {
      type: 'message',
      role: 'developer',
      content: [
        { type: 'input_text', text: 'speak of these like a sailor' },
        { type: 'input_image', image_url: `data:image/png;base64,${PNG}`, detail: 'low' },
        { type: 'input_file', filename: 'harbour.pdf', file_data: `data:application/pdf;base64,${PDF}` },
      ],
    },
    said('What is all this'),
  ]),
  'how closely it looks at a file': input([
    {
      type: 'message',
      role: 'user',
      content: [
        {
          type: 'input_file',
          filename: 'harbour.pdf',
          file_data: `data:application/pdf;base64,${PDF}`,
          detail: 'high',
        },
        { type: 'input_text', text: 'read it' },
      ],
    },
  ]),
  'files by id and address': input([
    {
      type: 'message',
      role: 'user',
      content: [
        { type: 'input_file', file_id: 'file-abcdefgh' },
        { type: 'input_file', file_url: 'https://files.test/plan.pdf' },
        { type: 'input_image', file_id: 'file-ijklmnop', detail: 'low' },
        { type: 'input_text', text: 'compare them all' },
      ],
    },
  ]),
};

const contents = (list: JsonObject[], more: JsonObject = {}): JsonObject => ({ contents: list, ...more });
const geminiSaid = (...parts: JsonObject[]): JsonObject => ({ role: 'user', parts });

const GEMINI: Readonly<Record<string, JsonObject>> = {
  'media of every kind': contents([
    geminiSaid(
      { inlineData: { mimeType: 'audio/wav', data: WAV } },
      { inlineData: { mimeType: 'application/pdf', data: PDF, displayName: 'harbour.pdf' } },
      { fileData: { mimeType: 'video/mp4', fileUri: 'https://video.test/harbour.mp4' }, videoMetadata: { fps: 5 } },
      { text: 'what is all this' },
    ),
  ]),
  'thoughts, code and its result': contents([
    geminiSaid({ text: 'Think about it' }),
    {
      role: 'model',
      parts: [
        { text: 'first I thought so', thought: true },
        { executableCode: { language: 'PYTHON', code: 'print(40 + 2)' } },
        { codeExecutionResult: { outcome: 'OUTCOME_OK', output: 'forty and two' } },
        { text: 'it is done', thoughtSignature: 'c2lnbmVkIHRob3VnaHRz' },
      ],
    },
    geminiSaid({ text: 'Go on then' }),
  ]),
  'responses with parts and without ids': contents(
    [
      geminiSaid({ text: 'Look there' }),
      { role: 'model', parts: [{ functionCall: { name: 'lookup_place', args: { place: 'harbour' } } }] },
      geminiSaid({
        functionResponse: {
          name: 'lookup_place',
          response: { output: 'the harbour by night' },
          parts: [{ inlineData: { mimeType: 'image/png', data: PNG } }],
          scheduling: 'SILENT',
        },
      }),
    ],
    {
      tools: [
        {
          functionDeclarations: [
            {
              name: 'lookup_place',
              description: 'Looks a place up.',
              parametersJsonSchema: SCHEMA,
              behavior: 'NON_BLOCKING',
            },
          ],
        },
      ],
    },
  ),
  'pictures with names, a file with one, and one word of several': contents(
    [
      geminiSaid(
        { inlineData: { mimeType: 'image/png', data: PNG, displayName: 'harbour picture' } },
        { fileData: { mimeType: 'image/png', fileUri: 'https://pics.test/two.png', displayName: 'second picture' } },
        { text: 'which is it' },
      ),
    ],
    {
      generationConfig: {
        responseMimeType: 'text/x.enum',
        responseSchema: { type: 'STRING', enum: ['first_word', 'second_word'] },
      },
    },
  ),
  'every setting': contents([geminiSaid({ text: 'Good morning' })], {
    systemInstruction: { parts: [{ text: 'speak like a sailor' }] },
    safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
    cachedContent: 'cachedContents/abcdefgh',
    labels: { team: 'the harbour team' },
    generationConfig: {
      candidateCount: 3,
      responseLogprobs: true,
      logprobs: 5,
      seed: 77_777,
      topK: 40,
      stopSequences: ['END_OF_WORDS'],
      responseModalities: ['TEXT', 'IMAGE'],
      speechConfig: { languageCode: 'de-AT' },
      mediaResolution: 'MEDIA_RESOLUTION_LOW',
      thinkingConfig: { includeThoughts: true, thinkingLevel: 'low' },
      responseMimeType: 'application/json',
      responseSchema: { type: 'OBJECT', properties: { place: { type: 'STRING' } }, propertyOrdering: ['place'] },
    },
  }),
};

/** By format, each request under what is odd about it. */
export const ODD_REQUESTS: Readonly<Partial<Record<CodecId, Readonly<Record<string, JsonObject>>>>> = {
  'anthropic-messages': MESSAGES,
  'openai-chat': CHAT,
  'openai-responses': RESPONSES,
  gemini: GEMINI,
};
