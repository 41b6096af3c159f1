import { getJob } from "../jobs/get-job.ts";
import type { JobDetails } from "../jobs/job.ts";
import type { ModelCall } from "../gateway/model-call.ts";
import type { Context } from "../kernel/context.ts";
import { AppError, toAppError } from "../kernel/errors.ts";
import { hasScope, requireScope } from "../kernel/principal.ts";
import { findTool, toolNameOf } from "./find-skill.ts";
import { followJob, type Follower } from "./follow-job.ts";
import { jobShape, jobShown } from "./job-shown.ts";
import { listSkills } from "./list-skills.ts";
import type { Skill } from "./skill.ts";
import type { SkillHost } from "./skill-host.ts";
import { inputSchemaOf, jsonSchemaOf, type ObjectSchema, outputSchemaOf } from "./skill-schema.ts";
import { mayUse } from "./skills-off.ts";
import { useSkill } from "./use-skill.ts";

/** A tool as MCP describes one. */
export interface McpTool {
  name: string;
  title: string;
  description: string;
  inputSchema: ObjectSchema;
  outputSchema: ObjectSchema;
  annotations: { title: string; readOnlyHint: boolean; openWorldHint: boolean };
}

/** What a call of a tool answers. */
export interface McpResult {
  [name: string]: unknown;
  content: { type: "text"; text: string }[];
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
}

export interface McpCall {
  name: string;
  input: unknown;
  call: ModelCall;
  onProgress: Follower["onProgress"];
}

/** How long a call waits for its job, in milliseconds: less than clients of MCP wait by default. */
const JOB_PATIENCE_MS = 45_000;

const JOB_TOOL = "job_read";

const jobTool = (): McpTool => ({
  name: JOB_TOOL,
  title: "Look at a job",
  description:
    "Tells how far a job is that another tool has begun, and what came of it once it has ended.",
  inputSchema: {
    type: "object",
    properties: { job_id: { type: "string", description: "As the other tool gave it: job_…" } },
    required: ["job_id"],
    additionalProperties: false,
  },
  outputSchema: jsonSchemaOf(jobShape, "output"),
  annotations: { title: "Look at a job", readOnlyHint: true, openWorldHint: false },
});

/**
 * The skills that are on for the team and for which the principal has the scopes, as tools.
 * @throws AppError `missing_scope`, `unavailable`
 */
export async function listMcpTools(
  context: Context,
  host: Pick<SkillHost, "skillsOff">,
): Promise<McpTool[]> {
  const { principal } = context;
  const listed = await listSkills(context, host);
  const usable = listed.filter(({ skill, enabled }) => enabled && mayUse(principal, skill));
  const tools = usable.map(({ skill }) => toTool(skill));
  const hasJobs = usable.some(({ skill }) => "job" in skill) && hasScope(principal, "jobs");
  return hasJobs ? [...tools, jobTool()] : tools;
}

const toTool = (skill: Skill): McpTool => ({
  name: toolNameOf(skill),
  title: skill.title,
  description: skill.summary,
  inputSchema: inputSchemaOf(skill),
  outputSchema: "job" in skill ? jsonSchemaOf(jobShape, "output") : outputSchemaOf(skill),
  annotations: { title: skill.title, readOnlyHint: skill.readOnly, openWorldHint: false },
});

/**
 * Calls a tool. What goes wrong with it is a result that says so, for the model to read.
 * @returns null where there is no such tool
 */
export async function callMcpTool(
  context: Context,
  host: SkillHost,
  { name, input, call, onProgress }: McpCall,
): Promise<McpResult | null> {
  const skill = findTool(name);
  if (!skill && name !== JOB_TOOL) return null;
  try {
    if (!skill) return toResult(jobShown(await readJob(context, input)));
    const answer = await useSkill(context, host, { skill, input, call });
    if (answer.kind === "answer") return toResult(answer.output);
    const { clientSignal } = call;
    const follower = { clientSignal, patienceMs: JOB_PATIENCE_MS, onProgress };
    return toResult(jobShown(await followJob(host, answer.job, follower)));
  } catch (thrown) {
    const error = toAppError(thrown);
    if (!(thrown instanceof AppError))
      context.log.error("skill_failed", { skill: name, cause: thrown });
    return failed(error, call.requestId);
  }
}

async function readJob(context: Context, input: unknown): Promise<JobDetails> {
  requireScope(context.principal, "skills");
  const named = typeof input === "object" && input !== null && "job_id" in input ? input : null;
  return getJob(context, { jobId: String(named?.job_id ?? "") });
}

function toResult(output: Record<string, unknown>): McpResult {
  return { content: [{ type: "text", text: JSON.stringify(output) }], structuredContent: output };
}

function failed({ code, message, fields }: AppError, requestId: string): McpResult {
  const faults = (fields ?? []).map((field) => `- ${field.path}: ${field.message}`);
  const text = [`${message}`, ...faults, `(${code}, request ${requestId})`].join("\n");
  return { content: [{ type: "text", text }], isError: true };
}
