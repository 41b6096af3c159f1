import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { newId } from "#core/kernel/ids.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack, WEBHOOK_SECRET } from "#test/harness/stack.ts";
import { CallbackReceiver, verified } from "#test/jobs/callback-receiver.ts";
import { type BotApi, startBotApi } from "#test/telegram/bot-api-server.ts";
import { deliverTo } from "#test/telegram/deliver-to.ts";

let stack: Stack;
let telegram: BotApi;
let receiver: CallbackReceiver;

beforeAll(async () => {
  telegram = await startBotApi({ backoffScale: 0.05 });
  receiver = await CallbackReceiver.start();
  stack = await startStack({
    postgres: inject("postgres"),
    vars: { TELEGRAM_BOT_TOKEN: telegram.token, TELEGRAM_API_ROOT: telegram.url },
  });
  deliverTo(telegram, stack.urls.bot, WEBHOOK_SECRET);
});
afterAll(async () => {
  await telegram?.stop();
  await stack?.stop();
  await receiver?.stop();
});

interface Callbacks {
  data: { state: string; attempts: number; log: { status: number | null }[] }[];
}

it("makes a report by the clock, brings it to a chat and a callback that fail at first, and each once", async () => {
  const { teamId, client } = await stack.createTeam({ scopes: ["admin", "jobs", "skills"] });
  await stack.sql(
    `WITH campaign AS (
       INSERT INTO campaigns (id, team_id, platform, natural_key, currency, name, first_day, last_day)
       VALUES ($1, $2, 'tiktok', 'name:a', 'USD', '🔥 نوروز', '2026-10-01', '2026-10-01') RETURNING number
     )
     INSERT INTO campaign_days (campaign, day, impressions, clicks, spend_micros, conversion_micros, revenue_micros)
     SELECT number, '2026-10-01'::date, 1000, 100, 100000000, 10000000, 300000000 FROM campaign`,
    [newId("campaign"), teamId],
  );
  const person = telegram.addPerson();
  const { command } = await client.expect<{ command: string }>(
    201,
    "POST",
    "/v1/telegram/link-codes",
    {},
  );
  person.says(command);
  await eventually(() => expect(telegram.answersIn(person.chat)).toHaveLength(1), 60_000);
  const { secret } = await client.expect<{ secret: string }>(
    200,
    "POST",
    "/v1/jobs/callback-secret/rotate",
    { grace_seconds: 0 },
  );

  const chatId = person.chat.id;
  telegram.fail({ method: "sendDocument", chatId, status: 502, rawBody: "Bad Gateway" });
  telegram.fail({
    method: "sendDocument",
    chatId,
    status: 429,
    description: "Too Many Requests: retry after 1",
    parameters: { retry_after: 1 },
  });
  receiver.answer = (_, response) =>
    response.writeHead(receiver.received.length === 1 ? 503 : 204).end();
  const schedule = await client.expect<{ id: string }>(201, "POST", "/v1/jobs/schedules", {
    name: "Monthly report",
    cron: "0 6 1 * *",
    time_zone: "Asia/Tehran",
    type: "generate_pdf_report",
    input: { days: 7, language: "fa", send_to: { telegram_chat: chatId } },
    callback_url: receiver.url,
  });
  await stack.sql(
    `UPDATE job_schedules SET next_at = (date_trunc('month', now() AT TIME ZONE 'Asia/Tehran') + interval '6 hours') AT TIME ZONE 'Asia/Tehran' WHERE id = $1`,
    [schedule.id],
  );
  await stack.tick();

  const run = () =>
    client.expect<{ data: { job_id: string }[] }>(
      200,
      "GET",
      `/v1/jobs/schedules/${schedule.id}/runs`,
    );
  await eventually(async () => expect((await run()).data).toHaveLength(1), 60_000);
  const jobId = (await run()).data[0]?.job_id ?? "";
  await eventually(
    async () =>
      expect(await client.expect(200, "GET", `/v1/jobs/${jobId}`)).toMatchObject({
        state: "succeeded",
        result: {
          period: { from: "2026-09-25", to: "2026-10-01" },
          sent_to_telegram: 1,
        },
      }),
    60_000,
  );

  const documents = () => telegram.answersIn(person.chat).flatMap(({ document }) => document ?? []);
  await eventually(() => expect(documents()).toHaveLength(1), 60_000);
  expect(documents()[0]?.file_name).toMatch(/\.pdf$/);
  const tries = telegram.callsOf("sendDocument").filter(({ status }) => status !== 200);
  expect(tries.map(({ status }) => status).toSorted()).toEqual([429, 502]);

  const callbacks = async () =>
    (await client.expect<Callbacks>(200, "GET", `/v1/jobs/${jobId}/callbacks`)).data;
  await eventually(
    async () => expect((await callbacks())[0]?.log).toMatchObject([{ status: 503 }]),
    60_000,
  );
  await stack.sql("UPDATE job_callbacks SET due_at = now() WHERE job_id = $1", [jobId]);
  let minute = Date.now();
  await eventually(async () => {
    await stack.tick(new Date((minute += 60_000)));
    expect(receiver.of(jobId)).toHaveLength(2);
  }, 60_000);
  const [first, second] = receiver.of(jobId);
  expect(second?.id).toBe(first?.id);
  if (second === undefined) throw new Error("The callback came twice.");
  expect(verified(secret, second)).toMatchObject({
    type: "job.succeeded",
    data: { id: jobId, state: "succeeded" },
  });
  expect(documents()).toHaveLength(1);
});
