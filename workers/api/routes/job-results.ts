import type { Next } from "hono";
import { findLinkedResult } from "#core/jobs/results/find-linked-result.ts";
import { findResult } from "#core/jobs/results/find-result.ts";
import {
  LONGEST_LINK_SECONDS,
  openResultLink,
  signResultLink,
  USUAL_LINK_SECONDS,
} from "#core/jobs/results/result-link.ts";
import { AppError } from "#core/kernel/errors.ts";
import { openDatabase } from "#platform/database.ts";
import { createLinkSigner } from "#platform/link-signer.ts";
import type { AppContext } from "../app-types.ts";
import { fileResponse } from "../file-response.ts";
import { emptyBodyAsObject } from "../middleware/empty-body.ts";
import {
  createRoute,
  createRouter,
  jsonBody,
  jsonResponse,
  problemResponses,
  security,
  teamHeader,
  z,
} from "../openapi.ts";
import { publicOrigin } from "../public-origin.ts";
import { signalOf } from "../signal.ts";

const params = z.object({
  id: z.string().max(100).openapi({ description: "The job's id" }),
  name: z.string().max(1_000).openapi({ description: "The result's name", example: "numbers.csv" }),
});

const common = { tags: ["Jobs"], security };

const RANGES =
  "One range of bytes may be asked for (`Range`), also from the end and together with `If-Range`; `If-None-Match` and its kin work. Only plain text and pictures are shown in place, everything else is downloaded, and what can hold scripts leaves as bytes.";

const getContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/jobs/{id}/results/{name}",
  summary: "Download a file that a job has made",
  description: `Needs the scope \`jobs\`, or no key at all with a signed link of \`POST …/link\`. ${RANGES}`,
  request: { params, headers: teamHeader },
  responses: {
    200: {
      description: "The file",
      content: {
        "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) },
      },
    },
    206: { description: "The part that was asked for" },
    304: { description: "It is the one that you have" },
    412: { description: "It is not the one that you have" },
    416: { description: "It is shorter than that" },
    ...problemResponses,
  },
});

const linkSchema = z
  .object({
    url: z.string().openapi({ description: "Whoever has it may read this one file" }),
    expires_at: z.string(),
  })
  .openapi("ResultLink");

const linkContract = createRoute({
  ...common,
  method: "post",
  path: "/v1/jobs/{id}/results/{name}/link",
  middleware: emptyBodyAsObject,
  summary: "Make a link to a result that needs no key",
  description:
    "Needs the scope `jobs`. The link works for `expires_in` seconds and cannot be taken back before; it leads to this one file of this one job.",
  request: {
    params,
    headers: teamHeader,
    ...jsonBody(
      z.strictObject({
        expires_in: z
          .number()
          .int()
          .min(60)
          .max(LONGEST_LINK_SECONDS)
          .default(USUAL_LINK_SECONDS)
          .describe("In seconds, from a minute to a week"),
      }),
      { expires_in: 3600 },
    ),
  },
  responses: {
    200: jsonResponse("The link", linkSchema, {
      url: "https://api.example.com/v1/jobs/job_01kajy9r4c6e8s1h3j5m7y0dgb/results/numbers.csv?team=team_01kajy7z3v8f6q2m9c4t5b1xwr&expires=1795258800&signature=…",
      expires_at: "2026-11-21T10:30:00.000Z",
    }),
    ...problemResponses,
  },
});

const signerOf = (c: AppContext) => createLinkSigner(c.get("deps").settings.MASTER_KEY);

/**
 * Answers a request for a result that comes by a signed link, which stands in place of a key. Comes before the keys are
 * looked at; requests without a signature go on to that.
 */
export async function answerSignedLink(c: AppContext, next: Next): Promise<Response | void> {
  const { signature, team, expires } = c.req.query();
  const { method } = c.req;
  if (signature === undefined || (method !== "GET" && method !== "HEAD")) return next();
  const jobId = c.req.param("id") ?? "";
  const name = c.req.param("name") ?? "";
  const presented = { jobId, name, team, expires, signature };
  const linked = await openResultLink(signerOf(c), presented, new Date());
  const { settings, files } = c.get("deps");
  const signal = await signalOf(c);
  if (signal.teamsOff.includes(linked.teamId))
    throw new AppError("team_suspended", { message: "This link does not work right now." });
  const { fileKey } = await findLinkedResult(openDatabase(settings), linked);
  return fileResponse(c, files, { key: fileKey, name });
}

export const jobResultRoutes = createRouter()
  .openapi(getContract, async (c) => {
    const { id: jobId, name } = c.req.valid("param");
    const { result } = await findResult(c.get("context"), { jobId, name });
    return fileResponse(c, c.get("deps").files, { key: result.fileKey, name: result.name });
  })
  .openapi(linkContract, async (c) => {
    const { id: jobId, name } = c.req.valid("param");
    const { job, result } = await findResult(c.get("context"), { jobId, name });
    const expires = Math.floor(Date.now() / 1000) + c.req.valid("json").expires_in;
    const linked = { teamId: job.teamId, jobId: job.id, name: result.name, expires };
    const path = await signResultLink(signerOf(c), linked);
    const expiresAt = new Date(expires * 1000).toISOString();
    return c.json({ url: publicOrigin(c) + path, expires_at: expiresAt }, 200);
  });
