import { setTimeout as delay } from "node:timers/promises";
import { StartError } from "../start-error.ts";

const READY_WITHIN_MS = 180_000;
const TICK_TIMEOUT_MS = 55_000;

/** The address of the Workers, and the token for what only the launcher may do. */
export interface Front {
  url: string;
  token: string;
}

interface ReadyAnswer {
  status: number;
  text: string;
}

async function askReady(front: Front): Promise<ReadyAnswer | undefined> {
  try {
    const response = await fetch(`${front.url}/ready`, { signal: AbortSignal.timeout(10_000) });
    return { status: response.status, text: await response.text() };
  } catch {
    return undefined;
  }
}

/** A sentence from a problem+json body, or the body. */
function reasonOf({ status, text }: ReadyAnswer): string {
  try {
    const body = JSON.parse(text) as { detail?: string }; // whatever else it is has no `detail`
    return body.detail ?? text;
  } catch {
    return `${status} ${text.slice(0, 500)}`;
  }
}

/**
 * Waits until the Workers say that they are ready.
 * @throws StartError with what they say instead, when it takes too long or a setting is wrong
 */
export async function waitUntilReady(front: Front, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  let last: ReadyAnswer | undefined;
  while (!signal.aborted && Date.now() < deadline) {
    last = (await askReady(front)) ?? last;
    if (last?.status === 200) return;
    if (last?.text.includes('"misconfigured"')) throw new StartError(reasonOf(last));
    await delay(150, undefined, { signal }).catch(() => undefined);
  }
  if (signal.aborted) return;
  const reason = last ? `They say: ${reasonOf(last)}` : "They did not answer at all.";
  throw new StartError(
    `The Workers were not ready after ${READY_WITHIN_MS / 60_000} minutes. ${reason}`,
  );
}

async function tick(front: Front, signal: AbortSignal): Promise<void> {
  const response = await fetch(`${front.url}/__switchyard/tick`, {
    method: "POST",
    headers: { "x-front-token": front.token },
    signal: AbortSignal.any([signal, AbortSignal.timeout(TICK_TIMEOUT_MS)]),
  });
  if (!response.ok)
    throw new Error(
      `The schedules answered ${response.status}: ${(await response.text()).slice(0, 300)}`,
    );
}

/** Fires the schedules now and at each full minute, as Cloudflare would: the local runtime never does by itself. */
export async function tickEachMinute(front: Front, signal: AbortSignal): Promise<void> {
  let lastProblem = "";
  while (!signal.aborted) {
    try {
      await tick(front, signal);
      lastProblem = "";
    } catch (error) {
      if (signal.aborted) return;
      const problem = error instanceof Error ? error.message : String(error);
      if (problem !== lastProblem) console.error(`warning The schedules did not run: ${problem}`);
      lastProblem = problem;
    }
    await delay(60_000 - (Date.now() % 60_000), undefined, { signal }).catch(() => undefined);
  }
}
