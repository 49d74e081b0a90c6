import { BlockList, isIPv4 } from 'node:net';

/** IPv4 blocks that are not the public internet (IANA IPv4 Special-Purpose Address Registry), and what they are. */
const reservedV4 = [
  ['0.0.0.0', 8, 'this network'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'shared by a carrier, or cloud metadata'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'link-local, or cloud metadata'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'reserved'],
  ['192.0.2.0', 24, 'for documentation'],
  ['192.88.99.0', 24, 'reserved'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'for benchmarks'],
  ['198.51.100.0', 24, 'for documentation'],
  ['203.0.113.0', 24, 'for documentation'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved'],
  // Azure's host agent, which gives out credentials, sits at a public address.
  ['168.63.129.16', 32, 'cloud metadata'],
] as const;

/** Blocks inside the global unicast range 2000::/3 that are not the public internet either. */
const reservedV6 = [
  // Teredo (an IPv4 tunnel), benchmarks, ORCHID.
  ['2001::', 23, 'reserved'],
  ['2001:db8::', 32, 'for documentation'],
  ['3fff::', 20, 'for documentation'],
] as const;

const blocks = [
  ...reservedV4.map(([start, bits, purpose]) => ({ list: blockOf(start, bits, 'ipv4'), purpose })),
  ...reservedV6.map(([start, bits, purpose]) => ({ list: blockOf(start, bits, 'ipv6'), purpose })),
];

function blockOf(start: string, bits: number, family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  list.addSubnet(start, bits, family);
  return list;
}

/** What a non-public address is for; undefined for a public one. IPv6 forms that carry an IPv4 address count as that one. */
export function reservedPurpose(address: string): string | undefined {
  if (isIPv4(address)) return purposeIn(address, 'ipv4');
  const groups = groupsOf(address);
  const inner = embeddedV4(groups);
  if (inner) return purposeIn(inner, 'ipv4');
  const isGlobalUnicast = ((groups[0] ?? 0) & 0xe000) === 0x2000;
  if (!isGlobalUnicast) return address === '::1' ? 'loopback' : 'private, link-local or reserved';
  return purposeIn(address, 'ipv6');
}

const purposeIn = (address: string, family: 'ipv4' | 'ipv6'): string | undefined =>
  blocks.find(({ list }) => list.check(address, family))?.purpose;

/** The IPv4 address inside a mapped (RFC 4291), NAT64 (RFC 6052) or 6to4 (RFC 3056) address. */
function embeddedV4(groups: readonly number[]): string | undefined {
  const startsWith = (...start: number[]): boolean => start.every((group, index) => groups[index] === group);
  if (startsWith(0, 0, 0, 0, 0, 0xffff) || startsWith(0x64, 0xff9b, 0, 0, 0, 0)) return v4Of(groups[6], groups[7]);
  return startsWith(0x2002) ? v4Of(groups[1], groups[2]) : undefined;
}

const v4Of = (high = 0, low = 0): string => [high >> 8, high & 255, low >> 8, low & 255].join('.');

/** The eight 16-bit groups of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const [withoutZone = ''] = address.split('%');
  const hexadecimal = withoutZone.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = '', tail] = hexadecimal.split('::');
  const numbers = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [before, after] = [numbers(head), numbers(tail ?? '')];
  return [...before, ...new Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0), ...after];
}
