import { describe, expect, it } from "vitest";
import { newId } from "../kernel/ids.ts";
import { createLogger } from "../kernel/log.ts";
import type { Principal } from "../kernel/principal.ts";
import { deleteResponse } from "./delete-response.ts";
import { getResponse } from "./get-response.ts";
import { keptInput } from "./input-items.ts";
import { keepResponse } from "./keep-response.ts";
import { loadEarlier } from "./load-earlier.ts";
import { nameResponse } from "./response-id.ts";
import type { ResponseChainStore } from "./response-store.ts";

const log = createLogger("error", () => undefined);
const TEAM = newId("team");
const key: Principal = { kind: "key", teamId: TEAM, keyId: "k", scopes: ["chat"], models: ["*"] };
const person: Principal = {
  kind: "token",
  teamId: TEAM,
  issuer: "https://issuer",
  subject: "zoe",
  member: null,
  scopes: ["chat"],
  models: ["*"],
  endUser: "zoe",
};

/** Notes what the objects are asked, and has nothing. */
function noting() {
  const asked: unknown[][] = [];
  const store = (name: string): ResponseChainStore => ({
    keep: async (response) => void asked.push([name, "keep", response.id]),
    read: async (id, endUser) => (asked.push([name, "read", id, endUser]), null),
    chain: async (id, endUser) => (asked.push([name, "chain", id, endUser]), { state: "unknown" }),
    erase: async (id, endUser) => (asked.push([name, "erase", id, endUser]), false),
  });
  return {
    asked,
    ports: { openChain: (team: string, chain: string) => store(`${team}/${chain}`) },
  };
}

describe("who asks for a kept response", () => {
  const first = nameResponse(newId("request"), null);
  const { id } = nameResponse(newId("request"), first);

  it.each<[string, Principal, string | null]>([
    ["a key reaches those of its team", key, null],
    ["a token that stands for an end user reaches this user's only", person, "zoe"],
  ])("%s", async (_name, principal, endUser) => {
    const { asked, ports } = noting();
    const object = `${TEAM}/${first.chain}`;
    const gone = { code: "not_found" };
    await expect(getResponse({ principal }, ports, { responseId: id })).rejects.toMatchObject(gone);
    const deletion = deleteResponse({ principal, log }, ports, { responseId: id });
    await expect(deletion).rejects.toMatchObject(gone);
    const goingOn = loadEarlier(principal, ports, { previousId: id, input: "x" });
    await expect(goingOn).rejects.toMatchObject({
      code: "invalid_request",
      param: "previous_response_id",
    });
    expect(asked).toEqual([
      [object, "read", id, endUser],
      [object, "erase", id, endUser],
      [object, "chain", id, endUser],
    ]);
  });

  it("needs the scope chat, and an id that is one", async () => {
    const { asked, ports } = noting();
    const principal: Principal = { ...key, kind: "key", keyId: "k", scopes: ["jobs"] };
    const get = (by: Principal, responseId: string) =>
      getResponse({ principal: by }, ports, { responseId });
    await expect(get(principal, id)).rejects.toMatchObject({ code: "missing_scope" });
    await expect(get(key, "resp_../other")).rejects.toMatchObject({ code: "not_found" });
    expect(asked).toEqual([]);
  });
});

describe("what is kept", () => {
  it("is the input as items, each with its type and an id, texts as parts", () => {
    expect(keptInput("hi", "R")).toEqual([
      {
        id: "msg_R_in0",
        type: "message",
        role: "user",
        content: [{ type: "input_text", text: "hi" }],
      },
    ]);
    const output = { type: "function_call_output", call_id: "c", output: "sunny" };
    expect(
      keptInput([{ role: "assistant", content: "so", id: "msg_mine" }, output, "nonsense"], "R"),
    ).toEqual([
      {
        id: "msg_mine",
        type: "message",
        role: "assistant",
        content: [{ type: "output_text", text: "so", annotations: [] }],
      },
      { id: "fco_R_in1", ...output },
      { id: "msg_R_in2", type: "message" },
    ]);
  });

  it("is told as it is: a response that its object does not take is not kept, and nothing is thrown", async () => {
    const { ports } = noting();
    const name = nameResponse(newId("request"), null);
    const origin = { name, previousId: null, teamId: TEAM, endUser: null, input: "hi", log };
    expect(await keepResponse(ports, origin, {})).toBe(true);
    const broken = {
      openChain: () => ({
        ...ports.openChain("", ""),
        keep: () => Promise.reject(new Error("Out of reach")),
      }),
    };
    expect(await keepResponse(broken, origin, {})).toBe(false);
  });
});
