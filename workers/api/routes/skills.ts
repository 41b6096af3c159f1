import { findSkill } from "#core/skills/find-skill.ts";
import { getSkill } from "#core/skills/get-skill.ts";
import { type ListedSkill, listSkills } from "#core/skills/list-skills.ts";
import { setSkill, setSkillInput } from "#core/skills/set-skill.ts";
import type { Skill } from "#core/skills/skill.ts";
import { inputSchemaOf, outputSchemaOf } from "#core/skills/skill-schema.ts";
import { SKILLS } from "#core/skills/skills.ts";
import { scopesOf } from "#core/skills/skills-off.ts";
import { useSkill } from "#core/skills/use-skill.ts";
import { microsToDollars } from "#core/kernel/money.ts";
import { AppError } from "#core/kernel/errors.ts";
import type { AppContext } from "../app-types.ts";
import { type Created, idempotencyKeyOf, idempotent } from "../middleware/idempotent.ts";
import { callOf, endUserOf } from "../model-gateway.ts";
import {
  createRoute,
  createRouter,
  idempotencyHeader,
  jsonBody,
  jsonResponse,
  pageOf,
  preferHeader,
  problemResponses,
  security,
  teamHeader,
  z,
} from "../openapi.ts";
import { encodeNewJob, jobSchema } from "../job-shape.ts";
import { answerJob } from "../wait-for-job.ts";
import { skillHost, skillSwitches } from "../skill-host.ts";

const jsonSchema = z
  .record(z.string(), z.unknown())
  .openapi({ description: "JSON Schema 2020-12" });

const skillSchema = z
  .object({
    name: z.string().openapi({ example: "vin.decode" }),
    title: z.string(),
    summary: z.string(),
    enabled: z.boolean().openapi({ description: "Whether the team has it switched on" }),
    kind: z.enum(["answer", "job"]).openapi({
      description:
        "`answer`: it answers at once; `job`: it gives a job, whose result is the output",
    }),
    scope: z.string().nullable().openapi({ description: "What a key needs besides `skills`" }),
    read_only: z.boolean(),
    price: z.string().openapi({ description: "What a use costs, in US dollars" }),
    command: z.string().nullable().openapi({ description: "The command in Telegram" }),
    input: jsonSchema,
    output: jsonSchema,
  })
  .openapi("Skill");

const encodeSkill = ({ skill, enabled }: ListedSkill): z.infer<typeof skillSchema> => ({
  name: skill.name,
  title: skill.title,
  summary: skill.summary,
  enabled,
  kind: "run" in skill ? "answer" : "job",
  scope: skill.scope ?? null,
  read_only: skill.readOnly,
  price: microsToDollars(skill.priceMicros ?? 0),
  command: skill.telegram?.command ?? null,
  input: inputSchemaOf(skill),
  output: outputSchemaOf(skill),
});

const common = { tags: ["Skills"], security };
const params = z.object({ name: z.string().openapi({ example: "vin.decode" }) });

/** What every skill may refuse, in its docs. */
const REFUSALS =
  "\n\nRefused with 403 `missing_scope` or `skill_switched_off`, 422 `validation_failed` with the path of each field, 429 `rate_limit_exceeded` or `insufficient_quota`, and 503 `unavailable` when its time is up. A problem costs nothing.";

const listContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/skills",
  summary: "List the skills",
  description:
    "Needs the scope `skills`. Each with the JSON Schemas of what it takes and answers, and whether the team has it switched on.",
  request: { headers: teamHeader },
  responses: { 200: jsonResponse("All skills", pageOf(skillSchema)), ...problemResponses },
});

const getContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/skills/{name}",
  summary: "Read about a skill",
  description: "Needs the scope `skills`.",
  request: { params, headers: teamHeader },
  responses: { 200: jsonResponse("The skill", skillSchema), ...problemResponses },
});

const putContract = createRoute({
  ...common,
  method: "put",
  path: "/v1/skills/{name}",
  summary: "Switch a skill on or off for the team",
  description:
    "Needs the scope `admin`. It holds everywhere within a second: for requests, for models that would use it as a tool, in Telegram and for MCP clients.",
  request: { params, headers: teamHeader, ...jsonBody(setSkillInput, { enabled: false }) },
  responses: { 200: jsonResponse("The skill", skillSchema), ...problemResponses },
});

export const skillRoutes = createRouter()
  .openapi(listContract, async (c) => {
    const listed = await listSkills(c.get("context"), skillSwitches(c));
    return c.json({ data: listed.map(encodeSkill), next_cursor: null }, 200);
  })
  .openapi(getContract, async (c) => {
    const listed = await getSkill(c.get("context"), skillSwitches(c), c.req.valid("param"));
    return c.json(encodeSkill(listed), 200);
  })
  .openapi(putContract, async (c) => {
    const input = { ...c.req.valid("json"), ...c.req.valid("param") };
    return c.json(encodeSkill(await setSkill(c.get("context"), input)), 200);
  });

skillRoutes.post("/v1/skills/:name", async (c) => {
  const skill = findSkill(c.req.param("name"));
  const input = await bodyOf(c);
  const work =
    idempotencyKeyOf(c) === null
      ? answerWith(c, skill, input)
      : idempotent(c, (context) => answerWith(c, skill, input, context));
  c.executionCtx.waitUntil(work.catch(() => undefined)); // goes on when the client hangs up, so that it is accounted for
  const answer = await work;
  return answer.status === 202
    ? answerJob(c, jobSchema.parse(answer.body))
    : c.json(answer.body, 200);
});

/** The documented paths of the skills. Their input is checked by the skill's own verb, as at every other door. */
export const skillContracts = () => SKILLS.map(contractOf);

/** A schema as the document can show it: one that contains itself, as z.json() does, has no end there. */
function shown(schema: z.ZodType, io: "input" | "output"): z.ZodType {
  try {
    z.toJSONSchema(schema, { io, cycles: "throw", unrepresentable: "any" });
    return schema;
  } catch {
    return z.looseObject({});
  }
}

function contractOf(skill: Skill) {
  const needs = scopesOf(skill).map((scope) => `\`${scope}\``);
  const price = skill.priceMicros
    ? ` Costs $${microsToDollars(skill.priceMicros)} when it succeeds.`
    : "";
  const isJob = "job" in skill;
  const output = shown(skill.output, "output");
  const jobAnswer = jobSchema.extend({ result: output.nullable() });
  return createRoute({
    ...common,
    method: "post",
    path: `/v1/skills/${skill.name}`,
    summary: skill.title,
    description: `${skill.summary}${isJob ? "\n\nIt is a job: 202 with the job at once, or with `Prefer: wait=20` 200 where it ends within so many seconds." : ""}\n\nNeeds the scope${needs.length > 1 ? "s" : ""} ${needs.join(" and ")}.${price}${REFUSALS}`,
    request: {
      headers: idempotencyHeader.extend(teamHeader.shape).extend(isJob ? preferHeader.shape : {}),
      ...jsonBody(shown(skill.input, "input"), skill.example),
    },
    responses: {
      ...(isJob
        ? {
            202: jsonResponse("The job, whose `result` is the answer", jobAnswer),
            200: jsonResponse("The job, ended in the time of `Prefer: wait`", jobAnswer),
          }
        : { 200: jsonResponse("What it answers", output) }),
      ...problemResponses,
    },
  });
}

/** @throws AppError `unsupported_media_type`, `invalid_json` */
async function bodyOf(c: AppContext): Promise<unknown> {
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json")
    throw new AppError("unsupported_media_type", {
      message: "Send the body as JSON, with the header content-type: application/json.",
    });
  try {
    return JSON.parse((await c.req.text()) || "{}"); // whatever is missing is told by its name
  } catch (cause) {
    throw new AppError("invalid_json", { message: "The body is not valid JSON.", cause });
  }
}

async function answerWith(
  c: AppContext,
  skill: Skill,
  input: unknown,
  context = c.get("context"),
): Promise<Created<Record<string, unknown>>> {
  const asked = callOf(c, { endUser: null });
  const call = { ...asked, endUser: endUserOf(asked, null) };
  const answer = await useSkill(context, skillHost(c), { skill, input, call });
  if (answer.kind === "answer") return { status: 200, body: answer.output };
  return { status: 202, body: encodeNewJob(answer.job) };
}
