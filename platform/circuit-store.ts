import type { SharedCircuit } from "#core/providers/circuits/circuit.ts";
import type { CircuitStore } from "#core/providers/circuits/circuit-board.ts";
import type { Cache } from "./cache.ts";

const KEY = "circuits";
/** Nothing stays open for longer than that without being written again, in seconds. */
const KEPT_SECONDS = 600;

/** Open circuits in the shared cache: one hash, so that one call reads all. */
export function circuitStore(cache: Pick<Cache, "readHash" | "writeHash">): CircuitStore {
  return {
    readAll: () => cache.readHash<SharedCircuit>(KEY),
    write: (name, shared) => cache.writeHash(KEY, name, shared, KEPT_SECONDS),
  };
}
