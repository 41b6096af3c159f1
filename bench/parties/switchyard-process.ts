import { z } from "zod";
import { runChild, type RunningChild } from "../process/child.ts";
import { models } from "../upstream/replies.ts";
import { recordCpuProfile } from "./cpu-profile.ts";
import { freePort } from "./free-port.ts";
import { startSwitchyardStack } from "./switchyard-stack.ts";

const provider = "bench";

/** Runs Switchyard with a team, a key, a provider and its models, all made over the HTTP API as an operator would. */
runChild({
  input: z.object({ upstream: z.string(), profiled: z.boolean() }),
  start: async ({ upstream, profiled }): Promise<RunningChild> => {
    const inspectorPort = profiled ? await freePort() : undefined;
    const { admin, rows, url, pid, stop } = await startSwitchyardStack({
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
      scopes: ["chat"],
    });

    return {
      ready: { url, key, pids: [pid] },
      calls: {
        usage: async () => {
          const [row] = await rows(
            `SELECT count(*)::int AS records,
                    count(*) FILTER (WHERE status = 200 AND NOT estimated AND input_tokens = 19 AND output_tokens = 198)::int AS exact
             FROM usage_records WHERE team_id = $1`,
            [team.id],
          );
          return row;
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
