import type { SessionStore } from "./session.ts";

/** How often a lease is renewed within its time, so that one renewal may fail. */
const RENEWALS = 3;

/**
 * Keeps a running turn alive in its session.
 * @param onLost called once when the turn is no longer the session's, such as after a deletion
 * @returns ends it; nothing is called afterwards
 */
export function keepLease(
  store: SessionStore,
  turn: { id: string; leaseMs: number },
  onLost: () => void,
): () => void {
  let ended = false;
  let timer: ReturnType<typeof setTimeout>;
  const wait = () => {
    timer = setTimeout(() => void renew(), turn.leaseMs / RENEWALS);
  };
  const renew = async () => {
    const kept = await store.renew(turn.id).catch(() => true); // out of reach for now; the next renewal may get through
    if (ended) return;
    if (kept) wait();
    else onLost();
  };
  wait();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
