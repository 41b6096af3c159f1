/** Files that write to Postgres without an entry in the audit log, each with the reason why that is right. */
export const UNAUDITED: Record<string, string> = {
  "core/audit/audit.ts": "It is the audit log.",
  "core/teams/team-epoch.ts":
    "Raises the epoch within the transaction of a change, which writes its own entry.",
  "core/switches/change-signal.ts":
    "Changes the switchboard within the transaction of a change, which writes its own entry.",
  "core/telegram/set-chat-blocked.ts":
    "Notes what Telegram told of a chat, as often as it does; nobody's rights change.",
  "core/telegram/redeem-link-code.ts":
    "Uses a code up, in the transaction in which link-chat.ts links the chat and writes that.",
  "core/usage/store-usage-records.ts": "Usage records are an account of their own.",
  "core/usage/roll-up-hours.ts": "Sums of usage records.",
  "core/usage/stats/count-minutes.ts": "Counts of usage records.",
  "core/usage/stats/purge-minutes.ts": "Retention of the counts.",
  "core/usage/close-books.ts": "Retention of usage records.",
  "core/usage/purge-closed-records.ts": "Retention of usage records.",
  "core/usage/dead-letters.ts": "Keeps messages that could not be used, for operators.",
  "core/campaigns/store-facts.ts":
    "What files say of campaigns; campaign_imports says which file it was, and whoever sent that is audited.",
  "core/campaigns/import/number-campaigns.ts": "As above.",
  "core/campaigns/import/settle-levels.ts": "As above.",
  "core/campaigns/import/import-record.ts": "As above.",
  "core/campaigns/roll-up-days.ts": "Sums of campaign facts.",
  "core/campaigns/refresh-benchmarks.ts": "As above.",
  "core/schedules/claim-runs.ts": "Schedules work by the clock; schedule_runs is their log.",
  "core/schedules/execute-run.ts": "As above.",
  "core/schedules/resend-queued-runs.ts": "As above.",
  "core/schedules/health-check.ts": "What was measured last.",
  "core/schedules/record-queue-probe.ts": "What was measured last.",
  "core/schedules/expire-keys.ts":
    "Removes what ended long ago and is refused already; nobody's rights change.",
  "core/schedules/operations-retention.ts": "Removes old records of our own operation.",
  "core/jobs/after-end.ts":
    "What follows from the end of a job; who cancelled one by hand is written by cancel-job.ts.",
  "core/jobs/dispatch/dispatch-jobs.ts": "Lets jobs in; job_attempts is their log.",
  "core/jobs/dispatch/write-admission.ts": "As above.",
  "core/jobs/engine/backlog.ts": "As above.",
  "core/jobs/engine/claim-job.ts": "As above.",
  "core/jobs/engine/job-lease.ts": "As above.",
  "core/jobs/engine/recover-jobs.ts": "As above.",
  "core/jobs/engine/run-children.ts": "As above.",
  "core/jobs/engine/save-result.ts": "As above.",
  "core/jobs/engine/sweep-jobs.ts": "As above.",
  "core/jobs/engine/wait-for-event.ts": "As above.",
  "core/jobs/callbacks/deliver-callbacks.ts": "Each try is logged with its callback.",
  "core/sessions/expire-sessions.ts": "Removes what nobody has used for long, by the clock.",
  "core/jobs/results/expire-results.ts": "Removes files of jobs that are old, by the clock.",
  "core/jobs/remove-old-jobs.ts": "Removes jobs that ended long ago, by the clock.",
  "core/teams/erase-team-files.ts": "Finishes what delete-team.ts has written.",
  "core/jobs/create-job.ts":
    "A job keeps who made it and its own history. Jobs are what users ask for, not what admins set.",
  "core/uploads/create-upload.ts":
    "An upload keeps who sent it. Files are what users send, not what admins set.",
  "core/uploads/put-part.ts": "As above.",
  "core/uploads/complete-upload.ts": "As above.",
  "core/uploads/delete-upload.ts": "As above.",
  "core/uploads/expire-uploads.ts": "Removes files whose time is over.",
  "core/sessions/list-sessions.ts":
    "Tidies the index of sessions. Sessions are what users say, not what admins set.",
  "platform/durable-objects/session-index.ts": "As above.",
  "workers/api/middleware/idempotent.ts": "Answers that are kept for repeated requests.",
};

/** Functions that write, each with the one of the same file that calls them and writes the entry for all. */
export const AUDITED_BY_CALLER: Record<string, string> = {
  "core/jobs/retry-job.ts: forgetSteps": "retryJob",
  "core/jobs/retry-job.ts: retryChildren": "retryJob",
  "core/limits/grant-credits.ts: store": "grantCredits",
  "core/limits/grant-credits.ts: addToLedger": "grantCredits",
  "core/jobs/schedules/run-schedule.ts: noteRun": "runSchedule",
  "core/jobs/schedules/make-due-jobs.ts: makeNext": "stop",
};
