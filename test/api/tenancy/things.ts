import { createHash } from "node:crypto";
import { newId } from "#core/kernel/ids.ts";
import type { ApiClient } from "#test/harness/api-client.ts";
import type { Stack } from "#test/harness/stack.ts";

/** A team with one of everything that a team can have. A new kind of thing gets a field here. */
export interface Things {
  teamId: string;
  memberId: string;
  /** The key that makes the requests. */
  ownKeyId: string;
  invitationId: string;
  /** Another key of the team, for requests to read and change. */
  keyId: string;
  sessionId: string;
  /** A kept response of the Responses API. */
  responseId: string;
  campaignId: string;
  /** A job with a result of this name. */
  jobId: string;
  resultName: string;
  /** An upload whose one part has come, and one that is complete. */
  uploadId: string;
  sentUploadId: string;
  /** What told the end of the job, and a schedule that makes such jobs. */
  callbackId: string;
  jobScheduleId: string;
  /** A linked Telegram chat. */
  chatId: string;
  /** What the whole installation shares; its routes are for super admins. */
  provider: string;
  model: string;
  schedule: string;
  skill: string;
  runId: string;
}

/** A team, its things, and what nobody else may ever read of it. */
export interface Household {
  things: Things;
  client: ApiClient;
  /** Names, addresses, secrets and texts that stand nowhere but in this team's things. */
  marks: string[];
}

/** Makes a team with all its things, every text of which holds the label. */
export async function furnish(stack: Stack, label: string): Promise<Household> {
  const mark = (what: string) => `${label}-${what}-${crypto.randomUUID()}`;
  const marks: string[] = [];
  const marked = (what: string) => {
    const text = mark(what);
    marks.push(text);
    return text;
  };
  const team = await stack.createTeam({ name: marked("team") });
  const { client, teamId } = team;
  const member = await client.expect<{ id: string }>(201, "POST", `/v1/teams/${teamId}/members`, {
    name: marked("member"),
    email: `${marked("email")}@example.com`,
    role: "admin",
  });
  const invitation = await client.expect<{ id: string; token: string }>(
    201,
    "POST",
    `/v1/teams/${teamId}/invitations`,
    { name: marked("invited"), email: `${marked("invited-email")}@example.com` },
  );
  const key = await client.expect<{ id: string; key: string }>(201, "POST", "/v1/keys", {
    name: marked("key"),
    models: ["*", marked("allowed")],
    metadata: { note: marked("metadata") },
  });
  const session = await client.expect<{ session_id: string }>(200, "POST", "/v1/chat", {
    message: marked("message"),
    model: "builtin",
    system: marked("system-prompt"),
  });
  const sessionId = session.session_id;
  await client.expect(200, "PATCH", `/v1/sessions/${sessionId}`, { title: marked("title") });
  const response = await client.expect<{ id: string }>(200, "POST", "/v1/responses", {
    model: "builtin",
    input: marked("input"),
    instructions: marked("instructions"),
  });
  await stack.sql(
    `INSERT INTO usage_records (id, attempt, at, team_id, key_id, session_id, end_user, model, provider, status,
       input_tokens, output_tokens, estimated, cost_micros, latency_ms)
     VALUES ($1, 1, now(), $2, $3, NULL, $4, $5, 'p', 200, 1, 1, false, 1, 1)`,
    [newId("request"), teamId, key.id, marked("end-user"), marked("used-model")],
  );
  await stack.admin.expect(200, "PUT", `/v1/teams/${teamId}/limits`, {
    limits: [{ unit: "requests", window: "day", max: 1000, model: marked("limited-model") }],
  });
  const job = await furnishJob(stack, { client, teamId, marked });
  const chatId = String(Math.floor(Math.random() * 1e12));
  await stack.sql("INSERT INTO telegram_links (chat_id, team_id) VALUES ($1, $2)", [
    chatId,
    teamId,
  ]);
  const campaignId = newId("campaign");
  await stack.sql(
    `WITH added AS (
       INSERT INTO campaigns (id, team_id, platform, natural_key, currency, name)
       VALUES ($1, $2, 'meta', 'name:c', 'USD', $3) RETURNING number
     ), fact AS (
       INSERT INTO campaign_facts (campaign, day, ad_group, clicks, import_number)
       SELECT number, current_date, $4, 1, 1 FROM added
     )
     INSERT INTO campaign_dirty_days (campaign, day) SELECT number, current_date FROM added`,
    [campaignId, teamId, marked("campaign"), marked("ad-group")],
  );
  const uploads = await furnishUploads(client, marked("upload"));
  const shared = await furnishInstallation(stack, label);
  return {
    things: {
      teamId,
      memberId: member.id,
      ownKeyId: team.keyId,
      invitationId: invitation.id,
      keyId: key.id,
      sessionId,
      responseId: response.id,
      ...job,
      campaignId,
      chatId,
      ...uploads,
      ...shared,
    },
    client,
    marks: [
      ...marks,
      ...[team.key, key.key, invitation.token].flatMap((secret) => [secret, hashOf(secret)]),
    ],
  };
}

interface JobOwner {
  client: ApiClient;
  teamId: string;
  marked(what: string): string;
}

/** A job that waits for an hour of its own, and has a file all the same. */
async function furnishJob(stack: Stack, { client, teamId, marked }: JobOwner) {
  const job = await client.expect<{ id: string }>(202, "POST", "/v1/jobs", {
    type: "self_test",
    input: { count: 1 },
    idempotency_key: marked("job-key"),
    run_at: new Date(Date.now() + 3_600_000).toISOString(),
  });
  const resultName = `${marked("result")}.txt`;
  const fileKey = `${teamId}/jobs/${job.id}/${resultName}`;
  const text = marked("result-text");
  await stack.putFile(fileKey, text, "text/plain");
  await stack.sql(
    "INSERT INTO job_results (job_id, name, file_key, size, content_type) VALUES ($1, $2, $3, $4, 'text/plain')",
    [job.id, resultName, fileKey, text.length],
  );
  const callbackId = `${newId("message")}-${job.id}`;
  await stack.sql(
    `INSERT INTO job_callbacks (id, job_id, team_id, url, event, state)
     VALUES ($1, $2, $3, $4, 'job.succeeded', 'delivered')`,
    [callbackId, job.id, teamId, `https://${marked("callback")}.example.com/`],
  );
  await client.expect(200, "POST", "/v1/jobs/callback-secret/rotate", {});
  const schedule = await client.expect<{ id: string }>(201, "POST", "/v1/jobs/schedules", {
    name: marked("schedule"),
    cron: "0 0 1 1 *",
    type: "self_test",
    input: {},
  });
  return { jobId: job.id, resultName, callbackId, jobScheduleId: schedule.id };
}

/** Two files of this name, one of them complete. */
async function furnishUploads(client: ApiClient, name: string) {
  const part = { walk: 1 };
  const begin = async () => {
    const { upload_id: id } = await client.expect<{ upload_id: string }>(
      201,
      "POST",
      "/v1/uploads",
      {
        name,
        size: JSON.stringify(part).length,
      },
    );
    await client.expect(200, "PUT", `/v1/uploads/${id}/parts/1`, part);
    return id;
  };
  const [uploadId, sentUploadId] = [await begin(), await begin()];
  await client.expect(200, "POST", `/v1/uploads/${sentUploadId}/complete`);
  return { uploadId, sentUploadId };
}

/** What belongs to no team and is reached by super admins only. */
async function furnishInstallation(stack: Stack, label: string) {
  const provider = `${label}-provider`;
  const model = `${label}/model`;
  await stack.admin.expect(201, "PUT", `/v1/admin/providers/${provider}`, {
    base_url: "http://127.0.0.1:9/v1",
    api_key: `sk-${label}`,
  });
  await stack.admin.expect(201, "PUT", `/v1/admin/models/${model}`, {
    targets: [{ provider, model: "m" }],
  });
  const schedule = "usage_retention";
  const runId = newId("scheduleRun");
  await stack.sql(
    `INSERT INTO schedule_runs (id, name, scheduled_at, trigger, state, attempts, started_at, ended_at)
     VALUES ($1, $2, now() - interval '1 year', 'cron', 'succeeded', 1, now(), now())
     ON CONFLICT DO NOTHING`,
    [runId, schedule],
  );
  return { provider, model, schedule, skill: "vin.decode", runId };
}

/** Ids of the right shape behind which there is nothing. */
export function ghost(): Things {
  return {
    teamId: newId("team"),
    memberId: newId("member"),
    ownKeyId: newId("key"),
    invitationId: newId("invitation"),
    keyId: newId("key"),
    sessionId: newId("session"),
    responseId: newId("request").replace("req_", "resp_"),
    campaignId: newId("campaign"),
    jobId: newId("job"),
    resultName: "ghost.txt",
    uploadId: newId("upload"),
    sentUploadId: newId("upload"),
    callbackId: newId("message"),
    jobScheduleId: newId("jobSchedule"),
    chatId: "9876543210987",
    provider: "ghost",
    model: "ghost/model",
    schedule: "ghost",
    skill: "ghost.skill",
    runId: newId("scheduleRun"),
  };
}

function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
