import type { ToolCallPart } from '../../model/content.ts';
import { ownValue } from '../../model/json.ts';
import { nativeItem } from './native-calls.ts';
import { added, done, type Place, type ShownPart } from './shown-parts.ts';

/** A call of a tool that the client knows by its type, in an item of that kind, which comes whole. */
export function showNative(call: ToolCallPart, place: Place): readonly [opening: string, shown: ShownPart] {
  const id = place.mintedId(ownValue(PREFIXES, call.name) ?? 'sh');
  let { input } = call;
  const item = () => ({ id, ...nativeItem({ ...call, input }) });
  return [
    added(place, { ...item(), status: 'in_progress' }),
    {
      grow(delta) {
        input += delta;
        return '';
      },
      end: () => done(place, { ...item(), status: 'completed' }),
    },
  ];
}

const PREFIXES: Readonly<Record<string, string>> = { shell: 'sh', local_shell: 'lsh', apply_patch: 'apc' };
