import { eraseTeamFiles } from "../teams/erase-team-files.ts";
import type { Schedule } from "./schedule.ts";

/** Removes the files of teams that were deleted; their rows went with them. */
export const eraseDeletedTeams: Schedule = {
  name: "erase_deleted_teams",
  description: "Removes the files of teams that were deleted, until a day after that.",
  cadence: { cron: "41 * * * *", clock: "utc" },
  missed: "catch_up",
  leaseSeconds: 840,
  retries: 1,
  async run(context) {
    const { teams, more } = await eraseTeamFiles(context, context);
    return { teams_erased: teams, more };
  },
};
