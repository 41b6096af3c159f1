import { refreshBenchmarks as refresh } from "../campaigns/refresh-benchmarks.ts";
import type { Schedule } from "./schedule.ts";

/** Computes anew what each team's campaigns usually reach. */
export const refreshBenchmarks: Schedule = {
  name: "refresh_benchmarks",
  description: "Computes each team's own benchmarks from the last 90 days of its campaigns.",
  cadence: { cron: "0 0 * * *", clock: "local" },
  missed: "catch_up",
  leaseSeconds: 840,
  retries: 1,
  async run(context) {
    const { teams, days, more } = await refresh(context, { deadline: context.deadline });
    return { teams, days_summed: days, more };
  },
};
