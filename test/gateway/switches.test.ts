import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { SUPER_ADMIN_KEY } from "#test/harness/stack.ts";
import { type GatewayStack, startGateway, userSays } from "./gateway-stack.ts";

/** From when on a switch has to hold everywhere. */
const WITHIN_MS = 1_000;
const PAUSE_MS = 15;
const REQUESTS = 8;

interface Asked {
  /** When it was sent, milliseconds since 1970. */
  at: number;
  status: number;
}

let gateway: GatewayStack;
let second: Awaited<ReturnType<GatewayStack["stack"]["startSecondApi"]>>;
beforeAll(async () => {
  gateway = await startGateway(inject("postgres"), ["api"]);
  await gateway.addModels({ plain: "plain" });
  second = await gateway.stack.startSecondApi();
});
afterAll(async () => {
  await second?.stop();
  await gateway?.stop();
});

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const set = (body: object, client: ApiClient = gateway.stack.admin) =>
  client.expect(200, "PUT", "/v1/admin/switches", body);

/** A client that asks one time after the other until it is stopped. */
function keepAsking(ask: () => Promise<Response>) {
  const asked: Asked[] = [];
  let running = true;
  const work = (async () => {
    while (running) {
      const at = Date.now();
      const response = await ask();
      await response.text();
      asked.push({ at, status: response.status });
      await pause(PAUSE_MS);
    }
  })();
  const stop = () => {
    running = false;
    return work;
  };
  return { asked, stop };
}

const chat = (client: ApiClient, model = "plain") =>
  client.request("POST", "/v1/chat/completions", { model, messages: userSays("hi") });

/** Loads both processes, throws the switch, and holds every request that is sent over a second later to the new state. */
async function holdsWithinASecond(options: {
  ask: (client: ApiClient) => Promise<Response>;
  key: string;
  off: object;
  on: object;
  statuses: [on: number, off: number];
  through?: ApiClient;
}) {
  const { ask, key, off, on, statuses, through } = options;
  const clients = [gateway.stack.client(key), second.client(key)];
  const loads = clients.map((client) => keepAsking(() => ask(client)));
  const late = (from: number) => loads.map(({ asked }) => asked.filter(({ at }) => at > from));
  const told = async (from: number, status: number) => {
    await eventually(() => {
      for (const asked of late(from)) expect(asked.length).toBeGreaterThan(REQUESTS);
    });
    for (const asked of late(from))
      expect(new Set(asked.map((one) => one.status))).toEqual(new Set([status]));
  };
  try {
    await told(Date.now() + WITHIN_MS, statuses[0]);
    await set(off, through);
    await told(Date.now() + WITHIN_MS, statuses[1]);
    await set(on, through);
    await told(Date.now() + WITHIN_MS, statuses[0]);
  } finally {
    await Promise.all(loads.map((load) => load.stop()));
    await set(on);
  }
}

const providerOf = async () => {
  const { data } = await gateway.stack.admin.expect<{ data: { name: string }[] }>(
    200,
    "GET",
    "/v1/admin/providers",
  );
  return data[0]?.name ?? "";
};

/** Every way in which the switches may travel. */
const caches: [string, () => void, () => void][] = [
  ["with the cache", () => undefined, () => undefined],
  [
    "with the cache dead",
    () => {
      gateway.stack.redis.execute = () => Promise.reject(new Error("The cache is down"));
    },
    () => {
      // the next case has a backend of its own
    },
  ],
];

describe.each(caches)("a switch holds in two processes within a second, %s", (_name, kill) => {
  beforeAll(() => kill());

  it("of a team: its keys are refused, another team's are not", async () => {
    const { teamId, key } = await gateway.stack.createTeam();
    const bystander = keepAsking(() => chat(second.client(gateway.key)));
    await holdsWithinASecond({
      ask: chat,
      key,
      off: { teams: { [teamId]: "off" }, reason: "unpaid" },
      on: { teams: { [teamId]: "on" } },
      statuses: [200, 403],
    });
    await bystander.stop();
    expect(new Set(bystander.asked.map((one) => one.status))).toEqual(new Set([200]));
  });

  it("of a provider: its models answer 503, the builtin one goes on", async () => {
    const name = await providerOf();
    const bystander = keepAsking(() => chat(second.client(gateway.key), "builtin"));
    await holdsWithinASecond({
      ask: chat,
      key: gateway.key,
      off: { providers: { [name]: "off" } },
      on: { providers: { [name]: "on" } },
      statuses: [200, 503],
      through: second.client(SUPER_ADMIN_KEY),
    });
    await bystander.stop();
    expect(new Set(bystander.asked.map((one) => one.status))).toEqual(new Set([200]));
  });

  it("of all writes: changes are refused, requests for models go on", async () => {
    const { teamId, key } = await gateway.stack.createTeam();
    const bystander = keepAsking(() => chat(second.client(gateway.key)));
    await holdsWithinASecond({
      ask: (client) => client.request("PATCH", `/v1/teams/${teamId}`, { name: "Renamed" }),
      key,
      off: { writes: "off" },
      on: { writes: "on" },
      statuses: [200, 503],
    });
    await bystander.stop();
    expect(new Set(bystander.asked.map((one) => one.status))).toEqual(new Set([200]));
  });

  it("and so does a change of the catalog", async () => {
    const { key } = await gateway.stack.createTeam();
    const [one, other] = [gateway.stack.client(key), second.client(key)];
    const model = `fresh-${crypto.randomUUID().slice(0, 8)}`;
    expect((await chat(other, model)).status).toBe(404);
    const provider = await providerOf();
    const path = `/v1/admin/models/${model}`;
    await gateway.stack.admin.expect(201, "PUT", path, { targets: [{ provider, model: "plain" }] });
    await pause(WITHIN_MS);
    expect([(await chat(one, model)).status, (await chat(other, model)).status]).toEqual([
      200, 200,
    ]);
    await second.client(SUPER_ADMIN_KEY).expect(204, "DELETE", path);
    await pause(WITHIN_MS);
    expect([(await chat(one, model)).status, (await chat(other, model)).status]).toEqual([
      404, 404,
    ]);
  });
});

describe("PUT /v1/admin/switches", () => {
  it("leaves what is not named as it is, and says what is off", async () => {
    const { teamId } = await gateway.stack.createTeam();
    await set({ bot: "off", providers: { ghost: "off" } });
    await set({ teams: { [teamId]: "off" } });
    const admin = gateway.stack.admin;
    const read = () => admin.expect(200, "GET", "/v1/admin/switches");
    expect(await read()).toMatchObject({
      bot: "off",
      writes: "on",
      providers_off: ["ghost"],
      teams_off: [teamId],
    });
    await set({ bot: "on", providers: { ghost: "on" }, teams: { [teamId]: "on" } });
    expect(await read()).toMatchObject({ bot: "on", providers_off: [], teams_off: [] });
  });

  it("refuses what it does not know, everybody but super admins, and teams that are not there", async () => {
    const admin = gateway.stack.admin;
    for (const body of [
      { bot: "maybe" },
      { providers: { "NO NAME": "off" } },
      { teams: { x: "off" } },
    ])
      await admin.expect(422, "PUT", "/v1/admin/switches", body);
    const ghost = { teams: { [`team_${"1".repeat(26)}`]: "off" } };
    await admin.expect(404, "PUT", "/v1/admin/switches", ghost);
    const { client } = await gateway.stack.createTeam();
    await client.expect(403, "PUT", "/v1/admin/switches", { bot: "off" });
    await client.expect(403, "GET", "/v1/admin/switches");
  });
});
