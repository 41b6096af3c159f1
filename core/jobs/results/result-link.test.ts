import { describe, expect, it } from "vitest";
import { createLinkSigner } from "#platform/link-signer.ts";
import { openResultLink, type PresentedLink, signResultLink } from "./result-link.ts";

const signer = createLinkSigner(Buffer.alloc(32, 7).toString("base64"));
const NOW = new Date("2026-11-21T10:00:00Z");
const result = {
  teamId: "team_a",
  jobId: "job_b",
  name: "a report/§.csv",
  expires: NOW.getTime() / 1000 + 60,
};

async function presented(changes: Partial<PresentedLink> = {}): Promise<PresentedLink> {
  const link = new URL(await signResultLink(signer, result), "https://example.com");
  const [, , , jobId = "", , name = ""] = link.pathname.split("/").map(decodeURIComponent);
  const { team, expires, signature = "" } = Object.fromEntries(link.searchParams);
  return { jobId, name, team, expires, signature, ...changes };
}

describe("a signed link", () => {
  it("opens what it was made for", async () => {
    expect(await openResultLink(signer, await presented(), NOW)).toEqual(result);
  });

  it("ends at its time", async () => {
    const link = await presented();
    const last = new Date(NOW.getTime() + 59_999);
    expect(await openResultLink(signer, link, last)).toEqual(result);
    const over = new Date(NOW.getTime() + 60_000);
    await expect(openResultLink(signer, link, over)).rejects.toThrow("expired");
  });

  it.each<[string, Partial<PresentedLink>]>([
    ["another team", { team: "team_b" }],
    ["no team", { team: undefined }],
    ["another job", { jobId: "job_c" }],
    ["another name", { name: "b.csv" }],
    ["a name that joins its neighbour", { name: 'a report/§.csv","x' }],
    ["a later end", { expires: String(result.expires + 1) }],
    ["an end with a sign", { expires: `+${result.expires}` }],
    ["an end with a space", { expires: ` ${result.expires}` }],
    ["no end", { expires: undefined }],
    ["a signature of nothing", { signature: "" }],
    ["a signature that is none", { signature: "\u0000💥" }],
  ])("does not open with %s", async (_, changes) => {
    await expect(openResultLink(signer, await presented(changes), NOW)).rejects.toMatchObject({
      code: "forbidden",
    });
  });

  it("does not open with any sign of its signature changed", async () => {
    const { signature } = await presented();
    for (let at = 0; at < signature.length; at++) {
      for (const sign of ["A", "B", "_"]) {
        const changed = signature.slice(0, at) + sign + signature.slice(at + 1);
        if (changed === signature) continue;
        const link = await presented({ signature: changed });
        await expect(openResultLink(signer, link, NOW)).rejects.toThrow();
      }
    }
  });

  it("does not open under another master key", async () => {
    const other = createLinkSigner(Buffer.alloc(32, 8).toString("base64"));
    await expect(openResultLink(other, await presented(), NOW)).rejects.toThrow("not one of ours");
  });
});
