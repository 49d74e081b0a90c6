import type { JsonObject, JsonValue } from '../model/json.ts';
import type { ProviderTool } from '../model/request.ts';
import { objectOf, textOf } from './members.ts';

/** A hosted web search, in what the vendors' tools for it share. */
export interface WebSearch {
  readonly maxUses?: number;
  readonly allowedDomains?: JsonValue;
  readonly blockedDomains?: JsonValue;
  /** City, region, country and time zone, as Anthropic and OpenAI both write them. */
  readonly userLocation?: JsonObject;
  readonly contextSize?: string;
}

/** The search that a hosted tool of any format is; undefined for every other hosted tool. */
export function webSearchOf({ origin }: ProviderTool): WebSearch | undefined {
  const { block } = origin;
  const type = textOf(block.type);
  if (origin.codec === 'gemini') return block.googleSearch || block.googleSearchRetrieval ? {} : undefined;
  if (!/^web_search(_|$)/.test(type)) return undefined;
  const { allowed_domains: filtered, blocked_domains: unwanted } = objectOf(block.filters);
  const allowed = block.allowed_domains ?? filtered;
  const blocked = block.blocked_domains ?? unwanted;
  const location = objectOf(block.user_location);
  // Chat Completions has the place one level further in
  const place = { ...location, ...objectOf(location.approximate) };
  const { approximate: _inner, ...userLocation } = place;
  return {
    ...(typeof block.max_uses === 'number' && { maxUses: block.max_uses }),
    ...(Array.isArray(allowed) && { allowedDomains: allowed }),
    ...(Array.isArray(blocked) && { blockedDomains: blocked }),
    ...(Object.keys(userLocation).length > 0 && { userLocation: { ...userLocation, type: 'approximate' } }),
    ...(typeof block.search_context_size === 'string' && { contextSize: block.search_context_size }),
  };
}

/** Messages API, web search tool. */
export const messagesSearch = ({ maxUses, allowedDomains, blockedDomains, userLocation }: WebSearch): JsonObject => ({
  type: 'web_search_20250305',
  name: 'web_search',
  ...(maxUses !== undefined && { max_uses: maxUses }),
  // it takes one of the two lists, not both
  ...(allowedDomains !== undefined ? { allowed_domains: allowedDomains } : {}),
  ...(allowedDomains === undefined && blockedDomains !== undefined && { blocked_domains: blockedDomains }),
  ...(userLocation && { user_location: userLocation }),
});

/** Responses API, web search tool. */
export const responsesSearch = ({ allowedDomains, userLocation, contextSize }: WebSearch): JsonObject => ({
  type: 'web_search',
  ...(allowedDomains !== undefined && { filters: { allowed_domains: allowedDomains } }),
  ...(userLocation && { user_location: userLocation }),
  ...(contextSize !== undefined && { search_context_size: contextSize }),
});

/** Fields that make a Chat Completions server search: by OpenAI's own words, or as a plugin of OpenRouter. */
export function chatSearch({ maxUses, userLocation, contextSize }: WebSearch, how: 'options' | 'plugin'): JsonObject {
  if (how === 'plugin') return { plugins: [{ id: 'web', ...(maxUses !== undefined && { max_results: maxUses }) }] };
  const { type: _approximate, ...place } = userLocation ?? {};
  return {
    web_search_options: {
      ...(userLocation && { user_location: { type: 'approximate', approximate: place } }),
      ...(contextSize !== undefined && { search_context_size: contextSize }),
    },
  };
}

/** Why a hosted tool is left out, and what can be done about it. `hint`: what this gateway offers instead. */
export const hostedToolDropped = (name: string, hint: string | undefined): string =>
  `"${name}" is a tool that only its own vendor runs, and this provider has no counterpart; ${hint ?? 'offer the tools of an MCP client in its place'}`;
