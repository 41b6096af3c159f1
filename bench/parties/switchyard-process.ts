import { z } from "zod";
import { sha256Hex } from "../../core/kernel/digest.ts";
import { newId } from "../../core/kernel/ids.ts";
import { generateApiKey } from "../../core/keys/api-key.ts";
import { runChild, type RunningChild } from "../process/child.ts";
import { models } from "../upstream/replies.ts";
import { recordCpuProfile } from "./cpu-profile.ts";
import { freePort } from "./free-port.ts";
import { startSwitchyardStack } from "./switchyard-stack.ts";

const provider = "bench";

/** Limits that every request is counted by, and none comes near to. */
const keyLimits = [
  { unit: "requests", window: "minute", max: 10_000_000 },
  { unit: "tokens", window: "minute", max: 100_000_000_000 },
  { unit: "concurrency", max: 100_000 },
];
const budget = { unit: "usd", window: "month", max: "10000000.00" };

/** Runs Switchyard with a team, a key, limits, a budget, a provider and its models, all made over the HTTP API as an operator would. */
runChild({
  input: z.object({ upstream: z.string(), profiled: z.boolean() }),
  start: async ({ upstream, profiled }): Promise<RunningChild> => {
    const inspectorPort = profiled ? await freePort() : undefined;
    const { admin, rows, url, pid, pidBehind, stop } = await startSwitchyardStack({
      inspectorPort,
      onExit: (code) => process.exit(code ?? 1),
    });

    await admin.expect(201, "PUT", `/v1/admin/providers/${provider}`, {
      kind: "openai",
      base_url: `${upstream}/v1`,
      api_key: "bench-provider-key",
      timeout_ms: 60_000,
    });
    for (const model of Object.values(models)) {
      await admin.expect(201, "PUT", `/v1/admin/models/${model}`, {
        targets: [{ provider, model, weight: 1 }],
        strategy: "ordered",
        prices: { input_per_million: "0.15", output_per_million: "0.60" },
        max_output_tokens: 16_384,
      });
    }
    const team = await admin.expect<{ id: string }>(201, "POST", "/v1/teams", { name: "Bench" });
    const { key } = await admin.expect<{ key: string }>(201, "POST", "/v1/keys", {
      name: "bench",
      team_id: team.id,
      scopes: ["chat", "skills"],
      limits: keyLimits,
    });
    await admin.expect(200, "PUT", `/v1/teams/${team.id}/limits`, { limits: [budget] });

    return {
      ready: { url, key, pids: [pid], pidsBehind: [pidBehind] },
      calls: {
        usage: async () => {
          const [row] = await rows(
            `SELECT count(*)::int AS records,
                    count(*) FILTER (WHERE status = 200 AND NOT estimated AND input_tokens = 19 AND output_tokens = 198)::int AS exact
             FROM usage_records WHERE team_id = $1 AND model NOT LIKE 'skill:%'`,
            [team.id],
          );
          return row;
        },
        makeKeys: async (count) => {
          const keys = await makeKeys(z.number().parse(count));
          await rows(
            `INSERT INTO api_keys (id, team_id, name, prefix, hash, scopes)
             SELECT id, $1, 'bench', 'sy_live_', hash, '{chat}' FROM unnest($2::text[], $3::text[]) AS made (id, hash)`,
            [team.id, keys.map(({ id }) => id), keys.map(({ hash }) => hash)],
          );
          return keys.map((made) => `Bearer ${made.key}`);
        },
        profile: (seconds) =>
          recordCpuProfile({
            port: z.number().parse(inspectorPort),
            worker: "api",
            seconds: z.number().parse(seconds),
          }),
      },
      stop,
    };
  },
});

/** Keys as the API would make them one by one, which for very many takes longer than what is measured. */
async function makeKeys(count: number): Promise<{ id: string; key: string; hash: string }[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const key = generateApiKey();
      return { id: newId("key"), key, hash: await sha256Hex(key) };
    }),
  );
}
