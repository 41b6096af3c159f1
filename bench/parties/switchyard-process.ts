import { z } from "zod";
import { startPostgresServer } from "../../test/harness/postgres.ts";
import { childProcessesOf } from "../../test/harness/processes.ts";
import { startStack } from "../../test/harness/stack.ts";
import { runChild, type RunningChild } from "../process/child.ts";
import { models } from "../upstream/replies.ts";
import { recordCpuProfile } from "./cpu-profile.ts";
import { freePort } from "./free-port.ts";

const provider = "bench";

/**
 * Runs the built Workers with a real Postgres, the stand-ins for Neon and Upstash, a team, a key, a
 * provider and its models, all made over the HTTP API as an operator would.
 */
runChild({
  input: z.object({ upstream: z.string(), profiled: z.boolean() }),
  start: async ({ upstream, profiled }): Promise<RunningChild> => {
    const inspectorPort = profiled ? await freePort() : undefined;
    const postgres = await startPostgresServer();
    const before = await childProcessesOf(process.pid);
    const stack = await startStack({
      postgres,
      forMeasuring: true,
      ...(inspectorPort === undefined ? {} : { inspectorPort }),
    });

    await stack.admin.expect(201, "PUT", `/v1/admin/providers/${provider}`, {
      kind: "openai",
      base_url: `${upstream}/v1`,
      api_key: "bench-provider-key",
      timeout_ms: 60_000,
    });
    for (const model of Object.values(models)) {
      await stack.admin.expect(201, "PUT", `/v1/admin/models/${model}`, {
        targets: [{ provider, model, weight: 1 }],
        strategy: "ordered",
        prices: { input_per_million: "0.15", output_per_million: "0.60" },
        max_output_tokens: 16_384,
      });
    }
    const { key, teamId } = await stack.createTeam({ name: "Bench", scopes: ["chat"] });

    return {
      ready: {
        url: stack.urls.api,
        key,
        pids: (await childProcessesOf(process.pid)).filter((pid) => !before.includes(pid)),
      },
      calls: {
        usage: async () => {
          const [row] = await stack.sql(
            `SELECT count(*)::int AS records,
                    count(*) FILTER (WHERE status = 200 AND NOT estimated AND input_tokens = 19 AND output_tokens = 198)::int AS exact
             FROM usage_records WHERE team_id = $1`,
            [teamId],
          );
          return row;
        },
        profile: (seconds) =>
          recordCpuProfile({
            port: z.number().parse(inspectorPort),
            worker: "switchyard-api",
            seconds: z.number().parse(seconds),
          }),
      },
      stop: async () => {
        await stack.stop();
        await postgres.stop();
      },
    };
  },
});
