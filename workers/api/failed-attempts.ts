import { BoundedMap } from "#core/kernel/bounded-map.ts";
import { AppError } from "#core/kernel/errors.ts";

/** The period of the binding, in seconds; see wrangler.toml. */
const PERIOD_SECONDS = 60;
/** How long an isolate remembers that an address is over the limit, in milliseconds; each further attempt renews it. */
const REMEMBER_MS = 10_000;
/** Addresses that an isolate remembers. */
const ADDRESSES = 10_000;

/**
 * Counts requests without a valid key by address, with the platform's rate limit binding: approximate, and for each
 * location by itself.
 */
export class FailedAttempts {
  private readonly limiter: RateLimit;
  private readonly floods = new BoundedMap<string, number>(ADDRESSES);

  constructor(limiter: RateLimit) {
    this.limiter = limiter;
  }

  /** Whether the address was over the limit a moment ago. Costs nothing. */
  isFlooding(address: string, now: number): boolean {
    const until = this.floods.get(address);
    return until !== undefined && now < until;
  }

  /**
   * Counts an attempt.
   * @throws AppError `rate_limit_exceeded` when there were too many
   */
  async count(address: string, now: number): Promise<void> {
    const { success } = await this.limiter.limit({ key: address });
    if (success) return;
    this.floods.set(address, now + REMEMBER_MS);
    throw tooManyAttempts();
  }
}

/** The answer to an address that has sent too much without a valid key. */
export function tooManyAttempts(): AppError {
  return new AppError("rate_limit_exceeded", {
    message:
      "Too many requests without a valid API key came from this address. Check the key, and try again in a minute.",
    retryAfterSeconds: PERIOD_SECONDS,
    headers: { "x-should-retry": "false" },
  });
}
