import { expireUploads } from "../uploads/expire-uploads.ts";
import type { Schedule } from "./schedule.ts";

/** Removes uploads that nobody finished, and those whose time is over. */
export const expireFiles: Schedule = {
  name: "expire_files",
  description: "Removes uploads that nobody finished within a day, and files 30 days old.",
  cadence: { cron: "23 * * * *", clock: "utc" },
  missed: "catch_up",
  leaseSeconds: 840,
  retries: 1,
  async run(context) {
    const { unfinished, files, more } = await expireUploads(
      context,
      { files: context.files },
      context.deadline,
    );
    return { unfinished_uploads_deleted: unfinished, files_deleted: files, more };
  },
};
