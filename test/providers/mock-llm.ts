import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { eventually } from "#test/harness/eventually.ts";

/** A provider that is not ours: https://github.com/dwmkerr/mock-llm in a process of its own. */
export interface MockLlm {
  /** What a client takes as its base URL: it ends with /v1. */
  url: string;
  stop(): Promise<void>;
}

const MAIN = createRequire(import.meta.url).resolve("@dwmkerr/mock-llm");

/** An echo with the usage that mock-llm leaves out by itself; `error-NNN` in a message asks for that status. */
const CONFIG = {
  streaming: { chunkSize: 4, chunkIntervalMs: 5 },
  rules: [
    chatRule("@", 200, {
      id: "chatcmpl-mock",
      object: "chat.completion",
      created: 1_700_000_000,
      model: "{{jmes request body.model}}",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: "{{jmes request body.messages[-1].content}}" },
          finish_reason: "stop",
        },
      ],
      usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
    }),
    ...[400, 401, 429, 500].map((status) =>
      chatRule(`contains(body.messages[-1].content, 'error-${status}')`, status, {
        error: { message: `Mock error ${status}.`, type: "mock_error", param: null, code: null },
      }),
    ),
    {
      path: "/v1/models",
      method: "GET",
      match: "@",
      response: {
        status: 200,
        content: JSON.stringify({
          object: "list",
          data: [{ id: "mock-1", object: "model", created: 1_700_000_000, owned_by: "mock" }],
        }),
      },
    },
  ],
};

function chatRule(match: string, status: number, content: object) {
  const response = { status, content: JSON.stringify(content) };
  return { path: "/v1/chat/completions", method: "POST", match, response };
}

/** Starts mock-llm on a free port. */
export async function startMockLlm(): Promise<MockLlm> {
  const folder = await mkdtemp(path.join(tmpdir(), "switchyard-mock-llm-"));
  const config = path.join(folder, "mock-llm.yaml");
  await writeFile(config, JSON.stringify(CONFIG)); // JSON is YAML
  const port = await freePort();
  const child = spawn(process.execPath, [MAIN, "--config", config], {
    env: { ...process.env, HOST: "127.0.0.1", PORT: String(port) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let complaint = "";
  child.stderr.on("data", (data: Buffer) => {
    complaint += data.toString("utf8");
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async () => {
    child.kill();
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}/v1`;
  try {
    await eventually(async () => {
      if (child.exitCode !== null) return; // it will not come any more
      if (!(await fetch(`${url}/models`)).ok) throw new Error("mock-llm is not ready");
    });
    if (child.exitCode !== null) throw new Error(`mock-llm ended at once: ${complaint}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}

/** A port that nobody listens on. Only for servers that cannot take port 0. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  await new Promise((resolve) => server.close(resolve));
  return port;
}
