import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import OpenAI from "openai";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createDatabase } from "#test/harness/postgres.ts";
import { startBotApi } from "#test/telegram/bot-api-server.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const READY_WITHIN_MS = 150_000;

/** `npm start` as its user runs it, with what it prints. */
class Launcher {
  output = "";
  readonly #child: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(environment: Record<string, string>, args: string[] = []) {
    this.#child = spawn("npm", ["start", "--", ...args], {
      cwd: ROOT,
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // a group of its own, which a terminal's Ctrl-C would reach as a whole
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on(
        "data",
        (chunk: Buffer) => (this.output += stripVTControlCharacters(chunk.toString())),
      );
    }
    this.ended = new Promise((resolve) => this.#child.once("exit", resolve));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async card(): Promise<string> {
    const deadline = Date.now() + READY_WITHIN_MS;
    while (!this.output.includes("Ctrl-C ends everything")) {
      if (this.#child.exitCode !== null || Date.now() > deadline)
        throw new Error(`No card was shown:\n${this.output}`);
      await delay(100);
    }
    return this.output.slice(this.output.indexOf("Switchyard is ready."));
  }

  /** As Ctrl-C does: the signal goes to every process in the terminal's foreground. */
  async ctrlC(): Promise<void> {
    if (this.#child.exitCode === null) process.kill(-this.pid, "SIGINT");
    await this.ended;
  }
}

/** Processes that have this text in their command line or environment: all that a launcher started carry its folder. */
async function processesWith(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    const read = (file: string): Promise<string> =>
      readFile(`/proc/${entry}/${file}`, "utf8").catch(() => "");
    const [command, environment] = await Promise.all([read("cmdline"), read("environ")]);
    if ((command + environment).includes(text))
      found.push(`${entry} ${command.replaceAll("\0", " ").slice(0, 200)}`);
  }
  return found;
}

async function untilNoProcessHas(text: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const left = await processesWith(text);
    if (left.length === 0) return;
    if (Date.now() > deadline) throw new Error(`Still running:\n${left.join("\n")}`);
    await delay(100);
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

const keyOf = (card: string): string => /API key\s+(\S+)/.exec(card)?.[1] ?? "";

/** Pastes a line into a shell. */
async function paste(line: string): Promise<string> {
  const shell = spawn("bash", ["-c", line], { stdio: ["ignore", "pipe", "ignore"] });
  let output = "";
  shell.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await new Promise((resolve) => shell.once("close", resolve));
  return output;
}

// What is left running is read from /proc.
describe.runIf(process.platform === "linux")("npm start", () => {
  let folder: string;
  let port: number;
  let environment: Record<string, string>;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "switchyard-start-test-"));
    port = await freePort();
    environment = { PORT: String(port), SWITCHYARD_DATA: path.join(folder, "data") };
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("ends in a card whose curl line and SDK snippet work, and leaves nothing running after Ctrl-C", async () => {
    const launcher = new Launcher(environment);
    const card = await launcher.card();
    const key = keyOf(card);
    expect(key).toMatch(/^sy_live_/);

    const curl = /^curl .*$/m.exec(card)?.[0] ?? "false";
    const completion = JSON.parse(await paste(`${curl} --silent`)) as OpenAI.ChatCompletion; // checked right below
    expect(completion.choices[0]?.message.content).toContain("Hello");

    const [, baseURL = ""] = /baseURL: "([^"]+)"/.exec(card) ?? [];
    const openai = new OpenAI({ baseURL, apiKey: key, maxRetries: 0 });
    const model = /model: "([^"]+)"/.exec(card)?.[1] ?? "";
    const stream = await openai.chat.completions.create({
      model,
      messages: [{ role: "user", content: "Hi" }],
      stream: true,
    });
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    expect(text).toContain("Hi");

    const url = `http://127.0.0.1:${port}`;
    expect(await (await fetch(`${url}/docs`)).text()).toContain("swagger-ui");
    expect(await (await fetch(`${url}/bot/health`)).json()).toMatchObject({ service: "bot" });
    expect(
      (await fetch(`${url}/telegram/webhook`, { method: "POST", body: "{}" })).status,
    ).not.toBe(404);
    expect((await fetch(`${url}/__switchyard/tick`, { method: "POST" })).status).toBe(404); // the launcher's only

    const adminKeyFile = /key in (\S+)/.exec(card)?.[1] ?? "";
    const adminKey = (await readFile(adminKeyFile, "utf8")).trim();
    const teams = await fetch(`${url}/v1/teams`, {
      headers: { authorization: `Bearer ${adminKey}` },
    });
    expect(await teams.json()).toMatchObject({ data: [{ name: "My team" }] });

    await launcher.ctrlC();
    await untilNoProcessHas(folder);
  });

  it("finds the data of the first start on the second, also when the launcher was killed with kill -9", async () => {
    const first = new Launcher(environment);
    const key = keyOf(await first.card());
    // The group holds npm, its shell and both launchers; Postgres and the Workers have groups of their own.
    process.kill(-first.pid, "SIGKILL");
    await first.ended;
    await untilNoProcessHas(folder);
    const second = new Launcher(environment);
    const card = await second.card();
    expect(keyOf(card)).toBe(key);
    expect(await paste(`${/^curl .*$/m.exec(card)?.[0]} --silent`)).toContain("chat.completion");
    await second.ctrlC();
    await untilNoProcessHas(folder);
  });

  it("keeps secrets out of what other users can see: the process list and the modes of its files", async () => {
    const launcher = new Launcher(environment);
    const key = keyOf(await launcher.card());
    const secrets = path.join(folder, "data", "secrets");
    const values = await Promise.all(
      (await readdir(secrets)).map(async (name) =>
        (await readFile(path.join(secrets, name), "utf8")).trim(),
      ),
    );
    expect(values).toHaveLength(3);
    let commands = "";
    for (const entry of await readdir("/proc")) {
      if (/^\d+$/.test(entry))
        commands += await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "");
    }
    for (const value of [...values, key]) expect(commands).not.toContain(value);
    for (const file of ["secrets", "first-team.json", "postgres"]) {
      expect((await stat(path.join(folder, "data", file))).mode & 0o077).toBe(0);
    }
    await launcher.ctrlC();
    await untilNoProcessHas(folder);
  });

  it("says in one sentence that its port is taken, and starts nothing", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(port, "127.0.0.1", resolve));
    const launcher = new Launcher(environment);
    expect(await launcher.ended).not.toBe(0);
    expect(launcher.output).toContain(`Port ${port} is taken by another program`);
    expect(launcher.output).toContain(`PORT=${port + 1} npm start`);
    expect(launcher.output).not.toMatch(/at .*\.ts:\d+/);
    await new Promise((resolve) => taken.close(resolve));
    await untilNoProcessHas(folder);
  });

  it("ends everything, with the log's last lines, when the Workers crash", async () => {
    const launcher = new Launcher(environment);
    await launcher.card();
    const [wrangler] = (await processesWith(path.join(folder, "data", "workers"))).filter((line) =>
      line.includes("wrangler-dist"),
    );
    process.kill(Number(wrangler?.split(" ")[0]), "SIGKILL");
    expect(await launcher.ended).not.toBe(0);
    expect(launcher.output).toMatch(
      /The Workers ended\. The last lines of their log \(.*workers\.log\):/,
    );
    await untilNoProcessHas(folder);
  });

  it("uses a Postgres of one's own, fetches a bot's updates, and begins anew with --reset", async () => {
    const database = await createDatabase(inject("postgres"));
    const botApi = await startBotApi();
    const launcher = new Launcher(
      {
        ...environment,
        DATABASE_URL: database.url,
        TELEGRAM_BOT_TOKEN: botApi.token,
        TELEGRAM_API_ROOT: botApi.url,
      },
      ["--reset"],
    );
    const card = await launcher.card();
    expect(await readdir(path.join(folder, "data"))).not.toContain("postgres");
    expect(card).toContain("polled from here");
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    expect((await client.query("select name from teams")).rows).toEqual([{ name: "My team" }]);
    await client.end();

    const person = botApi.addPerson();
    person.says("/start");
    const deadline = Date.now() + 60_000;
    while (botApi.answersIn(person.chat).length === 0) {
      if (Date.now() > deadline) throw new Error(`The bot did not answer:\n${launcher.output}`);
      await delay(100);
    }
    await launcher.ctrlC();
    await untilNoProcessHas(folder);
    await botApi.stop();
    await database.drop();
  });
});
