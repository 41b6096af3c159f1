import type { Logger } from "../../kernel/log.ts";
import { Circuit } from "../../providers/circuits/circuit.ts";
import type { VinSource } from "../vin-report.ts";
import { askAutodev } from "./ask-autodev.ts";
import { askNhtsa, NHTSA_MOST } from "./ask-nhtsa.ts";
import type { ServiceAnswer, ServiceFacts, ServiceName, ServiceReach } from "./service-facts.ts";

/** Two questions that fail close a service off for half a minute; each waits three seconds at most. */
const POLICY = {
  windowMs: 60_000,
  minimumRequests: 2,
  errorRate: 0.5,
  slowMs: null,
  slowRate: 1,
  openMs: 30_000,
};

/** Where services are, and who pays for them; null for one that is off. */
export interface ServiceSettings {
  nhtsaUrl: string | null;
  autodev: { url: string; apiKey: string } | null;
}

/** Our own data and the services that are on: the default one first, and then the cheaper before the dearer. */
export function decoderOrder(first: VinSource, services: readonly ServiceName[]): VinSource[] {
  const all: VinSource[] = ["offline", "nhtsa", "autodev"];
  const order = [first, ...all.filter((source) => source !== first)];
  return order.filter((source) => source === "offline" || services.includes(source));
}

/** What a question needs from the request that asks. */
export interface DeskReach {
  fetch: ServiceReach["fetch"];
  log: Logger;
  now(): number;
}

/**
 * Asks the services that are on, and leaves those alone that fail. One in an isolate: it holds the circuits, which are
 * plain values.
 */
export class ServiceDesk {
  private readonly circuits = new Map<ServiceName, Circuit>();
  private readonly settings: ServiceSettings;

  constructor(settings: ServiceSettings) {
    this.settings = settings;
  }

  /** The services that are on. */
  get services(): ServiceName[] {
    const { nhtsaUrl, autodev } = this.settings;
    return [
      ...(nhtsaUrl === null ? [] : ["nhtsa" as const]), // keeps the literal type
      ...(autodev === null ? [] : ["autodev" as const]),
    ];
  }

  /** Asks one service. A failure is a value: VINs without an answer. Never throws. */
  async ask(
    service: ServiceName,
    vins: readonly string[],
    reach: DeskReach,
  ): Promise<ServiceAnswer> {
    const facts = new Map<string, ServiceFacts>();
    const unanswered: string[] = [];
    let failure: ServiceAnswer["failure"] = null;
    for (let at = 0; at < vins.length; at += NHTSA_MOST) {
      const answer = await this.askSome(service, vins.slice(at, at + NHTSA_MOST), reach);
      for (const [vin, one] of answer.facts) facts.set(vin, one);
      unanswered.push(...answer.unanswered);
      failure ??= answer.failure;
    }
    return { facts, unanswered, failure };
  }

  private async askSome(
    service: ServiceName,
    vins: readonly string[],
    reach: DeskReach,
  ): Promise<ServiceAnswer> {
    const started = reach.now();
    const circuit = this.circuitOf(service, started);
    const leftAlone = { facts: new Map(), unanswered: vins, failure: null };
    if (circuit.avoided(started)) return leftAlone;
    const pass = circuit.enter(started);
    if (pass === "refused") return leftAlone;
    const answer = await this.call(service, vins, reach);
    const { failure } = answer;
    const latencyMs = reach.now() - started;
    if (failure)
      reach.log.warn("vin_service_failed", {
        service,
        reason: failure.message,
        duration_ms: latencyMs,
      });
    circuit.leave(
      pass,
      {
        error: failure ? (failure.timedOut ? "provider_timeout" : "provider_error") : null,
        latencyMs,
        retryAfterMs: failure?.retryAfterMs ?? 0,
      },
      reach.now(),
    );
    return answer;
  }

  private call(
    service: ServiceName,
    vins: readonly string[],
    { fetch }: DeskReach,
  ): Promise<ServiceAnswer> {
    const { nhtsaUrl, autodev } = this.settings;
    if (service === "nhtsa" && nhtsaUrl !== null)
      return askNhtsa({ fetch, baseUrl: nhtsaUrl }, vins);
    if (service === "autodev" && autodev !== null)
      return askAutodev({ fetch, baseUrl: autodev.url, apiKey: autodev.apiKey }, vins);
    return Promise.resolve({ facts: new Map(), unanswered: [], failure: null });
  }

  private circuitOf(service: ServiceName, now: number): Circuit {
    const known = this.circuits.get(service);
    if (known) return known;
    const made = new Circuit(POLICY, now);
    this.circuits.set(service, made);
    return made;
  }
}
