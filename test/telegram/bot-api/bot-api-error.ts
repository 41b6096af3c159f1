export interface ErrorParameters {
  retry_after?: number;
  migrate_to_chat_id?: number;
}

/** What the Bot API answers instead of a result; `description` is worded as Telegram words it. */
export class BotApiError extends Error {
  readonly code: number;
  readonly parameters: ErrorParameters | undefined;

  constructor(code: number, description: string, parameters?: ErrorParameters) {
    super(description);
    this.name = "BotApiError";
    this.code = code;
    this.parameters = parameters;
  }
}

export function badRequest(description: string, parameters?: ErrorParameters): BotApiError {
  return new BotApiError(400, `Bad Request: ${description}`, parameters);
}
