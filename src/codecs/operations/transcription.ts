import { isObject, type JsonObject, ownValue } from '../../model/json.ts';
import type { Payload, PayloadFile } from '../../model/operation.ts';
import type { Usage } from '../../model/usage.ts';
import { shortHash } from '../short-hash.ts';
import { inlinePart, partsIn } from './google-parts.ts';
import {
  type ClientAnswer,
  dropOthers,
  listOf,
  malformed,
  refuse,
  SentFile,
  SentForm,
  type Translation,
  textOrNothing,
} from './translation.ts';
import { usageFrom } from './usage.ts';

const KNOWN = ['model', 'fallbacks', 'response_format', 'language', 'stream'];

const KNOWN_TO_ELEVENLABS: ReadonlySet<string> = new Set([...KNOWN, 'timestamp_granularities']);

/** ElevenLabs API reference, speech-to-text. */
const openAiToElevenLabs: Translation = {
  request({ payload }, model, ledger) {
    dropOthers(payload.fields, KNOWN_TO_ELEVENLABS, ledger);
    refuseCaptions(payload.fields);
    const language = textOrNothing(payload.fields.language);
    const file = soundOf(payload);
    const fields = { model_id: model, ...(language && { language_code: language }) };
    return new SentForm(`bifrost-${shortHash(`${file.fileName} ${file.bytes.length}`, 24)}`, fields, {
      ...file,
      field: 'file',
    });
  },

  answer({ body }, { payload }) {
    if (typeof body.text !== 'string') throw malformed('transcript');
    return toldAs(payload.fields, body.text, {
      language: body.language_code,
      words: listOf(body.words)
        .filter(isObject)
        .filter(({ type }) => type === 'word')
        .map(({ text, start, end }) => ({ word: text, start, end })),
    });
  },
};

const KNOWN_TO_GEMINI: ReadonlySet<string> = new Set([...KNOWN, 'prompt']);

/** Gemini API, audio understanding: sound is a part of a prompt that asks for what is said. */
const openAiToGemini: Translation = {
  request({ payload, kind }, _model, ledger) {
    const { fields } = payload;
    dropOthers(fields, KNOWN_TO_GEMINI, ledger);
    refuseCaptions(fields);
    const { mediaType, bytes } = soundOf(payload);
    const language = textOrNothing(fields.language);
    const hint = textOrNothing(fields.prompt);
    const task = kind === 'translation' ? 'Translate the speech into English.' : 'Write down the speech word for word.';
    const asked = [
      task,
      'Answer with the text alone.',
      ...(language ? [`The language is ${language}.`] : []),
      ...(hint ? [`Names and words that may occur: ${hint}`] : []),
    ];
    return { contents: [{ role: 'user', parts: [{ text: asked.join(' ') }, inlinePart(mediaType, bytes)] }] };
  },

  answer({ body }, { payload }) {
    const texts = partsIn(body).flatMap(({ text, thought }) =>
      typeof text === 'string' && thought !== true ? [text] : [],
    );
    if (texts.length === 0) throw malformed('transcript');
    return toldAs(payload.fields, texts.join('').trim(), {}, usageFrom(body.usageMetadata));
  },
};

const KNOWN_TO_HUGGING_FACE: ReadonlySet<string> = new Set(['model', 'fallbacks', 'response_format', 'stream']);

/** Hugging Face inference, automatic speech recognition: the sound is the body. */
const openAiToHuggingFace: Translation = {
  request({ payload, kind }, _model, ledger) {
    dropOthers(payload.fields, KNOWN_TO_HUGGING_FACE, ledger);
    refuseCaptions(payload.fields);
    if (kind === 'translation') refuse('model', 'cannot translate here: this provider writes down what is said');
    const { mediaType, bytes } = soundOf(payload);
    return new SentFile(mediaType, bytes);
  },

  answer({ body }, { payload }) {
    if (typeof body.text !== 'string') throw malformed('transcript');
    return toldAs(payload.fields, body.text.trim(), {});
  },
};

const PROVIDERS: Readonly<Record<string, Translation | undefined>> = {
  elevenlabs: openAiToElevenLabs,
  gemini: openAiToGemini,
  huggingface: openAiToHuggingFace,
};

function refuseCaptions({ response_format: format }: JsonObject): void {
  if (format === 'srt' || format === 'vtt')
    refuse('response_format', `"${format}" is not given by this provider; use json or text`);
}

function soundOf({ files }: Payload): PayloadFile {
  const [file] = files.filter(({ field }) => field === 'file');
  return file ?? refuse('file', 'is required: the sound to transcribe');
}

function toldAs(fields: JsonObject, text: string, more: JsonObject, usage?: Usage): ClientAnswer {
  switch (fields.response_format) {
    case 'text':
      return { contentType: 'text/plain; charset=utf-8', bytes: Buffer.from(`${text}\n`), usage };
    case 'verbose_json':
      return { body: { task: 'transcribe', text, ...more }, usage };
    default:
      return { body: { text }, usage };
  }
}

export function transcriptionTranslation(from: string, to: string): Translation | undefined {
  return from === 'openai' ? ownValue(PROVIDERS, to) : undefined;
}
