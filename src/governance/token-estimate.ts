import type { Part } from '../model/content.ts';
import type { ChatRequest } from '../model/request.ts';

/** Longer texts are sampled: a tokenizer needs 35 ms for 100 KB, and this runs on the main thread. */
const SAMPLE_CHARACTERS = 16_384;
/** Every message costs a few tokens around its text (OpenAI's own counting recipe). */
const TOKENS_A_MESSAGE = 4;
/** About what Anthropic and OpenAI charge for a picture of usual size. */
const TOKENS_AN_IMAGE = 1_600;
const CHARACTERS_A_DOCUMENT_TOKEN = 40;

type CountTokens = (text: string) => number;

/** Input tokens of a request for a model whose provider does not count them, by OpenAI's o200k tokenizer. */
export async function estimatedTokens(request: Pick<ChatRequest, 'messages' | 'tools'>): Promise<number> {
  const count = await tokenizer();
  let tokens = 0;
  for (const message of request.messages) {
    tokens += TOKENS_A_MESSAGE;
    for (const part of message.parts) tokens += tokensOf(part, count);
  }
  for (const tool of request.tools) {
    const definition =
      tool.type === 'function' ? { description: tool.description, schema: tool.inputSchema } : tool.origin;
    tokens += sampled(`${tool.name} ${JSON.stringify(definition)}`, count);
  }
  return tokens;
}

async function tokenizer(): Promise<CountTokens> {
  const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base');
  // text that looks like a special token is counted as the text it is
  return (text) => countTokens(text, { disallowedSpecial: new Set() });
}

function tokensOf(part: Part, count: CountTokens): number {
  switch (part.type) {
    case 'text':
    case 'reasoning':
      return sampled(part.text, count);
    case 'tool-call':
      return sampled(`${part.name} ${part.input}`, count);
    case 'tool-result':
      return part.content.reduce((sum, inner) => sum + tokensOf(inner, count), 0);
    case 'opaque':
      return sampled(JSON.stringify(part.origin.block), count);
    case 'media':
      if (part.source.type === 'text') return sampled(part.source.text, count);
      if (part.mediaType.startsWith('image/') || part.source.type !== 'base64') return TOKENS_AN_IMAGE;
      return Math.ceil(part.source.data.length / CHARACTERS_A_DOCUMENT_TOKEN);
  }
}

/** Exact for short texts; for long ones the rate of three samples is taken for the whole. */
function sampled(text: string, count: CountTokens): number {
  if (text.length <= 3 * SAMPLE_CHARACTERS) return count(text);
  const middle = (text.length - SAMPLE_CHARACTERS) >> 1;
  const samples =
    text.slice(0, SAMPLE_CHARACTERS) + text.slice(middle, middle + SAMPLE_CHARACTERS) + text.slice(-SAMPLE_CHARACTERS);
  return Math.ceil((count(samples) / samples.length) * text.length);
}
