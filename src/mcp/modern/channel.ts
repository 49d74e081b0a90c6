import type { JsonObject, JsonValue } from '../../model/json.ts';

/** A request as it goes out: `params` with its envelope. */
export interface ModernRequest {
  readonly id: string | number;
  readonly method: string;
  readonly params: JsonObject;
}

export interface ExchangeOptions {
  /** Beside those that every request of this client has. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** What the server says for this request ahead of its answer. */
  readonly onNotification: (message: NotificationMessage) => void;
}

export interface NotificationMessage {
  readonly jsonrpc: '2.0';
  readonly method: string;
  readonly params?: JsonObject;
}

/** JSON-RPC's answer, as it was parsed. */
export type AnswerMessage = ResultMessage | ErrorMessage;

export interface ResultMessage {
  readonly jsonrpc: '2.0';
  readonly id: string | number;
  readonly result: JsonObject;
}

export interface ErrorMessage {
  readonly jsonrpc: '2.0';
  readonly id: string | number;
  readonly error: { readonly code: number; readonly message: string; readonly data?: JsonValue };
}

/** A way to a server of the modern era: each request is an exchange of its own, ended by its signal. */
export interface ModernChannel {
  /** Over HTTP some values of a request are repeated in headers. */
  readonly mirrorsInHeaders: boolean;
  /** The server's answer. Rejects with what the way itself had to say, and with the signal's reason. */
  exchange(request: ModernRequest, options: ExchangeOptions): Promise<AnswerMessage>;
}
