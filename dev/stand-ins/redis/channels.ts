import { globMatcher } from "./glob.ts";
import type { Bytes } from "./reply.ts";

export type Deliver = (channel: Bytes, message: Bytes, pattern?: Bytes) => void;

interface Subscription {
  matches: (channel: Bytes) => boolean;
  pattern?: Bytes;
  deliver: Deliver;
}

/** Who listens to which channels. */
export class Channels {
  readonly #subscriptions = new Set<Subscription>();

  /** @returns a function that ends it */
  subscribe(name: Bytes, isPattern: boolean, deliver: Deliver): () => void {
    const subscription: Subscription = isPattern
      ? { matches: globMatcher(name), pattern: name, deliver }
      : { matches: (channel) => channel === name, deliver };
    this.#subscriptions.add(subscription);
    return () => this.#subscriptions.delete(subscription);
  }

  /** @returns how many got it */
  publish(channel: Bytes, message: Bytes): number {
    const listeners = [...this.#subscriptions].filter((subscription) =>
      subscription.matches(channel),
    );
    for (const { deliver, pattern } of listeners) deliver(channel, message, pattern);
    return listeners.length;
  }
}
