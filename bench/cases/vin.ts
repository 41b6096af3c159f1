import assert from "node:assert/strict";
import { Agent, request as httpRequest } from "node:http";
import { checkDigitOf } from "../../core/vin/vin.ts";
import { percentile } from "../load/load.ts";
import type { Party, PartyName } from "../parties/party.ts";
import { type Metrics, takeTurns } from "../rounds.ts";
import type { Bench, BenchCase } from "./case.ts";

/** Vehicles of several makers, whose serial numbers make as many VINs as are needed. */
const VEHICLES = [
  { begin: "1HGCM826", end: "3A", make: "Honda" },
  { begin: "1FTFW5L8", end: "RF", make: "Ford" },
  { begin: "JF2SH626", end: "9G", make: "Subaru" },
  { begin: "4JGDA6DB", end: "GA", make: "Mercedes-Benz" },
  { begin: "19XFB4F2", end: "DE", make: "Honda" },
];

/** Reading VINs that nobody has read, and one that somebody has, beside the question what a key is. */
export const vin: BenchCase = {
  name: "vin",
  title: "GET /v1/vin/{vin}, one after another: anew, kept in the isolate, and GET /v1/keys/verify",
  byDefault: true,
  columns: [
    { key: "anew_p50_ms", title: "anew p50 ms", digits: 2 },
    { key: "anew_p99_ms", title: "anew p99 ms", digits: 2 },
    { key: "kept_p50_ms", title: "kept p50 ms", digits: 2 },
    { key: "verify_p50_ms", title: "verify p50 ms", digits: 2 },
    { key: "kept_ratio", title: "kept ÷ verify", digits: 2 },
  ],
  run,
};

type At = NonNullable<Party["at"]>;

async function run(bench: Bench): Promise<Map<PartyName, Metrics>> {
  const { parties, rounds, seconds, progress } = bench;
  const subjects = parties.flatMap(({ name, at }) => (at ? [{ name, at }] : []));
  const newVin = vinsWithoutEnd();
  const results = await takeTurns({
    subjects,
    rounds,
    measure: ({ at }) => measure(at, newVin, (seconds * 1_000) / 3),
    afterTurn: async ({ name }, round, metrics) =>
      progress(
        `vin round ${round}/${rounds}: ${name} ${(metrics["anew_p50_ms"] ?? Number.NaN).toFixed(2)} ms anew`,
      ),
  });
  return new Map([...results].map(([{ name }, metrics]) => [name, metrics]));
}

async function measure(at: At, newVin: () => Vehicle, forMs: number): Promise<Metrics> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const anew = await times(forMs, () => ask(at, agent, newVin(), false));

  const kept = newVin();
  await ask(at, agent, kept, false);
  const again = await times(forMs, () => ask(at, agent, kept, true));
  const verify = await times(forMs, () => get(at("/v1/keys/verify"), agent));
  agent.destroy();
  const [keptMs, verifyMs] = [percentile(again, 0.5), percentile(verify, 0.5)];
  return {
    anew_p50_ms: percentile(anew, 0.5),
    anew_p99_ms: percentile(anew, 0.99),
    kept_p50_ms: keptMs,
    verify_p50_ms: verifyMs,
    kept_ratio: keptMs / verifyMs,
  };
}

interface Vehicle {
  vin: string;
  make: string;
}

function vinsWithoutEnd(): () => Vehicle {
  let serial = 0;
  return () => {
    const { begin, end, make } = VEHICLES[serial % VEHICLES.length] ?? {
      begin: "",
      end: "",
      make: "",
    };
    const rest = end + String(serial++).padStart(6, "0");
    return { vin: begin + checkDigitOf(`${begin}0${rest}`) + rest, make };
  };
}

async function ask(
  at: At,
  agent: Agent,
  { vin: asked, make }: Vehicle,
  cached: boolean,
): Promise<void> {
  const answer = JSON.parse(await get(at(`/v1/vin/${asked}`), agent));
  assert.deepEqual(
    { vin: answer.vin, make: answer.make, cached: answer.cached },
    { vin: asked, make, cached },
  );
}

/** How long each of the calls took that were made one after another for this time. */
async function times(forMs: number, call: () => Promise<unknown>): Promise<Float64Array> {
  const all: number[] = [];
  const until = performance.now() + forMs;
  while (performance.now() < until) {
    const began = performance.now();
    await call(); // one at a time is the point
    all.push(performance.now() - began);
  }
  return Float64Array.from(all);
}

function get(
  { url, headers }: { url: string; headers: Record<string, string> },
  agent: Agent,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { agent, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      response.once("error", reject).once("end", () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`${url} answered ${response.statusCode}: ${text.slice(0, 500)}`));
      });
    });
    sent.once("error", reject).end();
  });
}
