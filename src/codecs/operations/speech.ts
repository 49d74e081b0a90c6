import { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject, ownValue } from '../../model/json.ts';
import type { OperationFormat } from '../../model/operation.ts';
import { inlineDataIn, reasonIn } from './google-parts.ts';
import {
  dropOthers,
  numberOrNothing,
  refuse,
  requiredText,
  type Translation,
  textIfGiven,
  textOrNothing,
} from './translation.ts';
import { usageFrom } from './usage.ts';

const KNOWN = ['model', 'fallbacks', 'input', 'voice', 'response_format', 'stream_format'];

const KNOWN_TO_ELEVENLABS: ReadonlySet<string> = new Set([...KNOWN, 'speed', 'language_code']);

/** ElevenLabs API reference, text-to-speech: `output_format` names codec, rate and bits. */
const ELEVENLABS_FORMATS: Readonly<Record<string, string | undefined>> = {
  mp3: 'mp3_44100_128',
  opus: 'opus_48000_128',
  pcm: 'pcm_24000',
};

/** The format is asked for in the query. */
export function elevenLabsFormat(format: string | undefined): string {
  const name = ownValue(ELEVENLABS_FORMATS, format ?? 'mp3');
  return name ?? refuse('response_format', `can be ${Object.keys(ELEVENLABS_FORMATS).join(', ')} at elevenlabs`);
}

/** The voice stands in the path, and sound comes as it is. */
const openAiToElevenLabs: Translation = {
  request({ payload: { fields } }, model, ledger) {
    dropOthers(fields, KNOWN_TO_ELEVENLABS, ledger);
    const speed = numberOrNothing(fields.speed);
    return {
      text: requiredText(fields, 'input'),
      model_id: model,
      language_code: fields.language_code,
      ...(speed !== undefined && { voice_settings: { speed } }),
    };
  },
};

const KNOWN_TO_GEMINI: ReadonlySet<string> = new Set([...KNOWN, 'instructions']);

/** Gemini API, speech generation: PCM of 16 bits, one channel, in a JSON answer. */
const openAiToGemini: Translation = {
  request({ payload: { fields } }, _model, ledger) {
    dropOthers(fields, KNOWN_TO_GEMINI, ledger);
    const format = textIfGiven(fields, 'response_format');
    if (format !== undefined && format !== 'wav' && format !== 'pcm')
      refuse('response_format', 'can be wav or pcm at gemini');
    const input = requiredText(fields, 'input');
    const instructions = textOrNothing(fields.instructions);
    return {
      contents: [{ role: 'user', parts: [{ text: instructions ? `${instructions}:\n${input}` : input }] }],
      generationConfig: {
        responseModalities: ['AUDIO'],
        speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: requiredText(fields, 'voice') } } },
      },
    };
  },

  answer({ body }, { payload: { fields } }) {
    const [sound] = inlineDataIn(body);
    if (!sound) throw new GatewayError('bad-response', `gemini gave no sound: ${reasonIn(body)}`);
    const pcm = Buffer.from(sound.base64, 'base64');
    const usage = usageFrom(body.usageMetadata);
    if (fields.response_format === 'pcm') return { contentType: 'audio/pcm', bytes: pcm, usage };
    const rate = Number(/rate=(\d+)/.exec(sound.mediaType)?.[1] ?? 24_000);
    return { contentType: 'audio/wav', bytes: Buffer.concat([wavHead(pcm.length, rate), pcm]), usage };
  },
};

/** The head of a WAV file with one channel of 16 bits (RIFF, `WAVEfmt `). */
function wavHead(length: number, rate: number): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(length, 40);
  return head;
}

/** Hugging Face inference, text to speech: `generation_parameters`, which a client may give one by one. */
const GENERATION = [
  ...['do_sample', 'early_stopping', 'epsilon_cutoff', 'eta_cutoff', 'max_length', 'max_new_tokens', 'min_length'],
  ...['min_new_tokens', 'num_beam_groups', 'num_beams', 'penalty_alpha', 'temperature', 'top_k', 'top_p', 'typical_p'],
  'use_cache',
] as const;

const KNOWN_TO_HUGGING_FACE: ReadonlySet<string> = new Set([
  ...['model', 'fallbacks', 'input', 'stream_format', 'generation_parameters'],
  ...GENERATION,
]);

/** The sound comes as it is, in the format and the voice of the model. */
const openAiToHuggingFace: Translation = {
  request({ payload: { fields } }, _model, ledger) {
    dropOthers(fields, KNOWN_TO_HUGGING_FACE, ledger);
    const given = isObject(fields.generation_parameters) ? fields.generation_parameters : {};
    const single = GENERATION.flatMap((name) => (fields[name] === undefined ? [] : [[name, fields[name]]]));
    const generation: JsonObject = { ...given, ...Object.fromEntries(single) };
    return {
      inputs: requiredText(fields, 'input'),
      ...(Object.keys(generation).length > 0 && { parameters: { generation_parameters: generation } }),
    };
  },
};

const PROVIDERS: Readonly<Partial<Record<OperationFormat, Translation>>> = {
  elevenlabs: openAiToElevenLabs,
  gemini: openAiToGemini,
  huggingface: openAiToHuggingFace,
};

export const speechTranslation = (from: OperationFormat, to: OperationFormat): Translation | undefined =>
  from === 'openai' ? PROVIDERS[to] : undefined;
