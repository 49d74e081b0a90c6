import { isObject, type JsonObject, type JsonValue, ownValue } from '../../model/json.ts';
import type { Payload, PayloadFile } from '../../model/operation.ts';
import type { Usage } from '../../model/usage.ts';
import type { Ledger } from '../ledger.ts';
import { shortHash } from '../short-hash.ts';
import { cuesOf, srtOf, type TimedText, vttOf } from './captions.ts';
import { inlinePart, partsIn, reasonIn } from './google-parts.ts';
import {
  type ClientAnswer,
  dropOthers,
  listOf,
  malformed,
  numberOrNothing,
  refuse,
  SentFile,
  SentForm,
  type Translation,
  textIfGiven,
  textOrNothing,
} from './translation.ts';
import { usageFrom } from './usage.ts';

const KNOWN = ['model', 'fallbacks', 'response_format', 'language', 'stream'];

const KNOWN_TO_ELEVENLABS: ReadonlySet<string> = new Set([...KNOWN, 'timestamp_granularities']);

/** ElevenLabs API reference, speech-to-text. */
const openAiToElevenLabs: Translation = {
  request({ payload }, model, ledger) {
    dropOthers(payload.fields, KNOWN_TO_ELEVENLABS, ledger);
    formatIn(payload.fields, WITH_TIMES);
    const language = textOrNothing(payload.fields.language);
    const file = soundOf(payload, ledger);
    const fields = { model_id: model, ...(language && { language_code: language }) };
    return new SentForm(`bifrost-${shortHash(`${file.fileName} ${file.bytes.length}`, 24)}`, fields, {
      ...file,
      field: 'file',
    });
  },

  answer({ body }, { payload }) {
    if (typeof body.text !== 'string') throw malformed('transcript');
    const format = formatIn(payload.fields, WITH_TIMES);
    if (format === 'json' || format === 'text') return toldAs(format, body.text);
    return toldWithTimes(format, body.text, listOf(body.words).flatMap(timedText), body.language_code);
  },
};

/** ElevenLabs tells what stands between the words too. */
function timedText(word: JsonValue): TimedText[] {
  if (!isObject(word) || typeof word.text !== 'string') return [];
  const [start, end] = [numberOrNothing(word.start) ?? 0, numberOrNothing(word.end) ?? 0];
  return [{ text: word.text, start, end, isSpace: word.type === 'spacing' }];
}

function toldWithTimes(
  format: 'srt' | 'vtt' | 'verbose_json',
  text: string,
  pieces: readonly TimedText[],
  language: JsonValue | undefined,
): ClientAnswer {
  const cues = cuesOf(pieces);
  if (cues.length === 0 && text.trim() !== '') throw malformed('times of its words');
  if (format !== 'verbose_json') return plainText(format === 'srt' ? srtOf(cues) : vttOf(cues));
  const duration = cues.at(-1)?.end ?? 0;
  const segments = cues.map((cue, id) => ({ id, ...cue }));
  const words = pieces.filter(({ isSpace }) => !isSpace).map(({ text: word, start, end }) => ({ word, start, end }));
  return { body: { task: 'transcribe', language, duration, text, segments, words } };
}

const KNOWN_TO_GEMINI: ReadonlySet<string> = new Set([...KNOWN, 'prompt']);

/** Gemini API, audio understanding: sound is a part of a prompt that asks for what is said. */
const openAiToGemini: Translation = {
  request({ payload, kind }, _model, ledger) {
    const { fields } = payload;
    dropOthers(fields, KNOWN_TO_GEMINI, ledger);
    refuseTimes(fields, ledger);
    const { mediaType, bytes } = soundOf(payload, ledger);
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
    // a recording in which nobody speaks has no text, and is none the less complete
    if (texts.length === 0 && reasonIn(body) !== 'STOP') throw malformed(`transcript: ${reasonIn(body)}`);
    return toldAs(formatIn(payload.fields, WITHOUT_TIMES), texts.join('').trim(), usageFrom(body.usageMetadata));
  },
};

const KNOWN_TO_HUGGING_FACE: ReadonlySet<string> = new Set(['model', 'fallbacks', 'response_format', 'stream']);

/** Hugging Face inference, automatic speech recognition: the sound is the body. */
const openAiToHuggingFace: Translation = {
  request({ payload, kind }, _model, ledger) {
    dropOthers(payload.fields, KNOWN_TO_HUGGING_FACE, ledger);
    refuseTimes(payload.fields, ledger);
    if (kind === 'translation') refuse('model', 'cannot translate here: this provider writes down what is said');
    const { mediaType, bytes } = soundOf(payload, ledger);
    return new SentFile(mediaType, bytes);
  },

  answer({ body }, { payload }) {
    if (typeof body.text !== 'string') throw malformed('transcript');
    return toldAs(formatIn(payload.fields, WITHOUT_TIMES), body.text.trim());
  },
};

const PROVIDERS: Readonly<Record<string, Translation | undefined>> = {
  elevenlabs: openAiToElevenLabs,
  gemini: openAiToGemini,
  huggingface: openAiToHuggingFace,
};

/** What a transcript can be asked for as. */
const WITHOUT_TIMES = ['json', 'text', 'verbose_json'] as const;
const WITH_TIMES = [...WITHOUT_TIMES, 'srt', 'vtt'] as const;

function formatIn<Format extends string>(fields: JsonObject, known: readonly Format[]): Format | 'json' {
  const asked = textIfGiven(fields, 'response_format') ?? 'json';
  const format = known.find((each) => each === asked);
  if (format !== undefined || asked === 'json') return format ?? 'json';
  return refuse('response_format', `"${asked}" is not given by this provider; use ${known.join(', ')}`);
}

/** For providers that tell what is said, and not when. */
function refuseTimes(fields: JsonObject, ledger: Ledger): void {
  if (formatIn(fields, WITHOUT_TIMES) === 'verbose_json')
    ledger.rewritten('response_format', 'the provider tells no times: verbose_json holds the text alone');
}

function soundOf({ files }: Payload, ledger: Ledger): PayloadFile {
  const [file, ...others] = files.filter(({ field }) => field === 'file');
  if (!file) return refuse('file', 'is required: the sound to transcribe');
  if (file.bytes.length === 0) return refuse('file', 'is a file of no bytes');
  if (others.length > 0) ledger.dropped('file', 'one recording is transcribed at a time: the first');
  return file;
}

function toldAs(format: (typeof WITHOUT_TIMES)[number], text: string, usage?: Usage): ClientAnswer {
  switch (format) {
    case 'text':
      return plainText(`${text}\n`, usage);
    case 'verbose_json':
      return { body: { task: 'transcribe', text }, usage };
    case 'json':
      return { body: { text }, usage };
  }
}

const plainText = (text: string, usage?: Usage): ClientAnswer => ({
  contentType: 'text/plain; charset=utf-8',
  bytes: Buffer.from(text),
  usage,
});

export function transcriptionTranslation(from: string, to: string): Translation | undefined {
  return from === 'openai' ? ownValue(PROVIDERS, to) : undefined;
}
