/** An error of RFC 6749, section 5.2, in the words of its `error` member. */
export class OauthError extends Error {
  override readonly name = 'OauthError';
  readonly code: string;
  readonly status: number;

  constructor(code: string, description: string, status = 400) {
    super(description);
    this.code = code;
    this.status = status;
  }
}

/** An error that the client is told of through the browser, as it is known where the client waits (section 4.1.2.1). */
export class RedirectedError extends OauthError {
  readonly location: string;

  constructor(code: string, description: string, location: string) {
    super(code, description);
    this.location = location;
  }
}
