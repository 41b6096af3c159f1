import type { TypedResponse } from "hono";
import { countUse } from "#core/skills/use-skill.ts";
import { decodeVinSkill } from "#core/skills/vin/decode-vin.ts";
import { encodeVin, encodeWrongVin, vinShape, wrongVinShape } from "#core/skills/vin/vin-shape.ts";
import { readVin, readVinInput } from "#core/vin/read-vin.ts";
import { MOST_VINS, readVins, readVinsInput, type VinResult } from "#core/vin/read-vins.ts";
import { validationError } from "#core/kernel/validation-error.ts";
import { refuseWritesIfOff } from "#core/switches/switches.ts";
import type { VinReport } from "#core/vin/vin-report.ts";
import { vinNeed, vinWish } from "#core/vin/vin-wish.ts";
import type { AppContext } from "../app-types.ts";
import { fileContents, fileJobAnswer, jsonInPlaceOfFile } from "../file-job.ts";
import { callOf, endUserOf } from "../model-gateway.ts";
import {
  createRoute,
  createRouter,
  idempotencyHeader,
  jsonResponse,
  problemResponses,
  security,
  teamHeader,
  z,
} from "../openapi.ts";
import { skillHost } from "../skill-host.ts";
import { readVinFile, readVinList, vinList } from "../vin-file-job.ts";
import { vinPorts } from "../vin-ports.ts";

const vinSchema = vinShape.openapi("Vin");

const wishQuery = z.object({
  need: z
    .string()
    .optional()
    .transform((text) => text?.split(",").map((name) => name.trim()))
    .pipe(z.array(vinNeed).max(vinNeed.options.length).optional())
    .openapi({
      type: "string",
      example: "drive,trim",
      description: `What must be known, by commas; services are asked for it where our own data does not know it. Of ${vinNeed.options.join(", ")}`,
    }),
  decoder: vinWish.shape.decoder.openapi({
    description: "`offline`: no service is asked",
  }),
});

const contract = createRoute({
  method: "get",
  path: "/v1/vin/{vin}",
  tags: ["VIN"],
  summary: "Read a vehicle's identification number",
  description:
    "Needs the scope `skills`. Spaces, hyphens and small letters do not matter. A wrong VIN is 422, with the VINs that it may have been in `errors[0].suggestions`; outside North America a wrong check digit is a warning only. See docs/vin.md.",
  security,
  request: {
    params: z.object({
      vin: readVinInput.shape.vin.openapi({ example: "1HGCM82633A004352" }),
    }),
    query: wishQuery,
    headers: teamHeader,
  },
  responses: { 200: jsonResponse("What it says", vinSchema), ...problemResponses },
});

/** Answers that are given again and again are written once; a report that is forgotten takes its text along. */
const cachedTexts = new WeakMap<VinReport, string>();

function cachedText(report: VinReport): string {
  const known = cachedTexts.get(report);
  if (known !== undefined) return known;
  const text = JSON.stringify(encodeVin(report, true));
  cachedTexts.set(report, text);
  return text;
}

/** An answer whose text was written before; the type says whose JSON it is. */
function jsonOf(text: string) {
  const response = new Response(text, { headers: { "content-type": "application/json" } });
  return response as Response & TypedResponse<z.output<typeof vinSchema>, 200, "json">; // written by encodeVin
}

const wrongVinSchema = wrongVinShape.openapi("WrongVin");

const batchAnswer = z.object({
  data: z.array(z.discriminatedUnion("valid", [vinSchema, wrongVinSchema])),
});

const batchContract = createRoute({
  method: "post",
  path: "/v1/vin/batch",
  tags: ["VIN"],
  summary: "Read many of them, or a file",
  description: `Needs the scope \`skills\`. Up to ${MOST_VINS} VINs are answered at once, in their order; a wrong one has \`valid: false\`, its faults and the VINs that it may have been. More of them, or a CSV or XLSX file (the field \`file\` of a form, or the whole body with \`?name=\`, up to 95 MiB), become a job of the type \`decode_vin_file\`, for which the scope \`jobs\` is needed too: its result is the same file with columns added. See docs/vin.md.`,
  security,
  request: {
    headers: idempotencyHeader.extend(teamHeader.shape),
    query: z.object({
      name: z.string().optional().openapi({ description: "What the file is called" }),
      vin_column: z.string().optional().openapi({
        description:
          "The column of the VINs, by name or by number from 1; found by itself otherwise",
      }),
      sheet: z.string().optional().openapi({ description: "Only this sheet of a workbook" }),
    }),
    body: {
      required: true,
      content: {
        "application/json": {
          schema: readVinsInput,
          example: { vins: ["1HGCM82633A004352", "1HGMC82633A004352"] },
        },
        ...fileContents,
      },
    },
  },
  responses: {
    200: jsonResponse("What they say", batchAnswer),
    202: jsonResponse("The job that reads them", fileJobAnswer),
    ...problemResponses,
  },
});

const encodeResult = (result: VinResult) =>
  "report" in result ? encodeVin(result.report, result.cached) : encodeWrongVin(result.wrong);

export const vinRoutes = createRouter().openapi(contract, async (c) => {
  const input = { ...c.req.valid("param"), ...c.req.valid("query") };
  const work = () => readVin(c.get("context"), vinPorts(c), input);
  const { report, cached } = await asUse(c, work);
  return cached ? jsonOf(cachedText(report)) : c.json(encodeVin(report, false), 200);
});

vinRoutes.openAPIRegistry.registerPath(batchContract);

// Not by its contract: a body is checked by what it is, a short list, a long one or a file.
vinRoutes.post("/v1/vin/batch", async (c) => {
  const list = await jsonInPlaceOfFile(c);
  const long = list && longList(list.json);
  if (list && long === null) {
    const input = readVinsInput.safeParse(list.json);
    if (!input.success) throw validationError(input.error);
    const results = await asUse(c, () => readVins(c.get("context"), vinPorts(c), input.data));
    return c.json({ data: results.map(encodeResult) }, 200);
  }
  refuseWritesIfOff(c.get("signal")); // a job is a change, where reading is none
  const make = () => (long === null ? readVinFile(c) : readVinList(c, long));
  return c.json(await asUse(c, make), 202);
});

/** The VINs of a list that is too long to be answered at once; null for every other body. */
function longList(json: unknown): string[] | null {
  const isLong =
    typeof json === "object" &&
    json !== null &&
    "vins" in json &&
    Array.isArray(json.vins) &&
    json.vins.length > MOST_VINS;
  if (!isLong) return null;
  const parsed = vinList.safeParse(json);
  if (!parsed.success) throw validationError(parsed.error);
  return parsed.data.vins;
}

/** These routes are another way to the skill: its switch, limits and price hold here too. A super admin has none of them. */
async function asUse<Answer>(c: AppContext, work: () => Promise<Answer>): Promise<Answer> {
  if (c.get("principal").teamId === null) return work();
  const asked = callOf(c, { endUser: null });
  const call = { ...asked, endUser: endUserOf(asked, null) };
  const use = { skill: decodeVinSkill, call };
  const answer = countUse(skillHost(c), use, { input: () => undefined, work });
  c.executionCtx.waitUntil(answer.catch(() => undefined)); // goes on when the client hangs up, so that it is accounted for
  return answer;
}
