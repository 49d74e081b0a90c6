import { withSystemWords } from '../codecs/openai-chat/system-words.ts';
import { isObject } from '../model/json.ts';
import { lookFor } from '../model/marks.ts';
import type { Quirk } from './quirks.ts';

const namesSchema = lookFor('"json_schema"');

/** Servers that answer in JSON, but to no schema: the model is told it in words ("This response_format type is unavailable now"). */
export const tellsSchemaInWords: Quirk = {
  concerns: ({ bytes }) => namesSchema(bytes),
  apply: (body, _model, report) => {
    const { response_format: format, messages } = body;
    if (!isObject(format) || format.type !== 'json_schema' || !Array.isArray(messages)) return body;
    const { schema } = isObject(format.json_schema) ? format.json_schema : {};
    const words = `Answer with a JSON object that fits this JSON Schema:\n${JSON.stringify(schema ?? {})}`;
    const reason = 'this server binds no answer to a schema, so that the model is told it in words';
    report({ field: 'response_format.json_schema', action: 'rewritten', reason });
    report({ field: 'messages[0].content', action: 'invented', reason });
    return {
      ...body,
      response_format: { type: 'json_object' },
      messages: withSystemWords(messages.filter(isObject), words),
    };
  },
};
