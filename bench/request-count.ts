import type { Party, Requests } from "./parties/party.ts";

/** Counts what each party got, so that its own books can be checked against it. */
export class RequestCount {
  readonly #requests = new Map<string, Requests>();

  add(party: Pick<Party, "name">, { answered, cut }: Requests): void {
    const before = this.of(party);
    this.#requests.set(party.name, { answered: before.answered + answered, cut: before.cut + cut });
  }

  of(party: Pick<Party, "name">): Requests {
    return this.#requests.get(party.name) ?? { answered: 0, cut: 0 };
  }
}
