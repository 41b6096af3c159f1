import type { ModelCall } from "../gateway/model-call.ts";
import { createJob } from "../jobs/create-job.ts";
import type { Job } from "../jobs/job.ts";
import type { Json } from "../jobs/job-type.ts";
import type { Context } from "../kernel/context.ts";
import { sha256Hex } from "../kernel/digest.ts";
import { AppError, toAppError } from "../kernel/errors.ts";
import { requireScope } from "../kernel/principal.ts";
import { validationError } from "../kernel/validation-error.ts";
import type { Skill, SkillJob } from "./skill.ts";
import type { SkillHost } from "./skill-host.ts";
import { skillRecord, usedAs } from "./skill-record.ts";
import { requireSkillOn, scopesOf } from "./skills-off.ts";

/** How long a skill may take that does not say, in milliseconds. */
const TIMEOUT_MS = 30_000;

/** One use of a skill, whichever door it came by. */
export interface SkillUse {
  skill: Skill;
  /** As the caller gave it. */
  input: unknown;
  /** Whose use it is. Its id is the usage record's, so no other request may have it. */
  call: ModelCall;
  /** Names the use where it may come again: its job is begun once for the same name. */
  once?: string | undefined;
}

/** What a skill answered, as JSON, or the job that it has begun. What it cost is in micro-dollars. */
export type SkillAnswer = { costMicros: number } & Outcome;

type Outcome = { kind: "answer"; output: { [name: string]: Json } } | { kind: "job"; job: Job };

/**
 * Uses a skill: the one way to it, for all doors alike. Scope, then the team's switch, then the input, then the limits
 * of key and team; its price is charged when it has succeeded, or its job is made. Each use makes one usage record,
 * refused or not.
 * @throws AppError `missing_scope`, `skill_switched_off`, `read_only`, `validation_failed`, `rate_limit_exceeded`,
 * `insufficient_quota`, `client_closed`, `unavailable` when its time is up, and what the skill itself throws
 */
export async function useSkill(
  context: Context,
  host: SkillHost,
  use: SkillUse,
): Promise<SkillAnswer> {
  const { skill } = use;
  const answer = await countUse(host, use, {
    input: () => {
      const parsed = skill.input.safeParse(use.input);
      if (!parsed.success) throw validationError(parsed.error);
      return parsed.data;
    },
    work: (input): Promise<Outcome> =>
      "job" in skill
        ? beginJob(context, host, skill.job(input), use.once)
        : answerOf(context, host, { call: use.call, skill }, input),
  });
  return { ...answer, costMicros: skill.priceMicros ?? 0 };
}

/**
 * What holds for every use of a skill, around one that comes by a route of its own and answers in its own way: scope,
 * switch, limits, price and the one usage record.
 * @throws AppError as useSkill does
 */
export async function countUse<Input, Answer>(
  host: SkillHost,
  { skill, call }: Pick<SkillUse, "skill" | "call">,
  { input, work }: { input(): Input; work(input: Input): Promise<Answer> },
): Promise<Answer> {
  const { gateway } = host;
  try {
    await checkUse(host, skill, call);
    const given = input();
    const deadlineAt = gateway.now() + timeoutOf(skill);
    const micros = skill.priceMicros ?? 0;
    const worst = () => ({ tokens: 0, micros, outputCap: 0 });
    await gateway.admit(call, usedAs(skill), { worst, deadlineAt });
    if (call.clientSignal?.aborted) throw clientClosed(); // then nothing is begun for nobody
    const answer = await work(given);
    gateway.report(skillRecord(call, skill, { costMicros: micros }, gateway.now()));
    return answer;
  } catch (thrown) {
    const error = toAppError(thrown);
    gateway.report(skillRecord(call, skill, { costMicros: 0, error }, gateway.now()));
    throw thrown;
  }
}

const timeoutOf = (skill: Skill) => ("run" in skill && skill.timeoutMs) || TIMEOUT_MS;

async function beginJob(
  context: Context,
  { jobDesk }: SkillHost,
  begun: SkillJob<{ [name: string]: Json }>,
  once: string | undefined,
) {
  // Hashed, since it holds all that the skill was given; and apart from the keys that clients choose.
  const idempotencyKey = once === undefined ? null : `use:${await sha256Hex(once)}`;
  const { job } = await createJob(context, jobDesk, { ...begun, idempotencyKey });
  return { kind: "job" as const, job }; // tells it from an answer
}

async function checkUse(host: SkillHost, skill: Skill, call: ModelCall): Promise<void> {
  const { principal, teamId } = call;
  for (const scope of scopesOf(skill)) requireScope(principal, scope);
  await requireSkillOn(host, teamId, skill);
  if (!skill.readOnly || "job" in skill) host.refuseChanges(); // a job is a change, whatever it does
}

async function answerOf(
  context: Context,
  { ports }: SkillHost,
  { skill, call }: { skill: Extract<Skill, { run: unknown }>; call: ModelCall },
  input: Record<string, unknown>,
) {
  const timeoutMs = timeoutOf(skill);
  const ends = new AbortController();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const end = (error: AppError) => {
    ends.abort(error);
    reject(error);
  };
  const timer = setTimeout(() => end(timeIsUp(skill, timeoutMs)), timeoutMs);
  const hangUp = () => end(clientClosed());
  call.clientSignal?.addEventListener("abort", hangUp);
  if (call.clientSignal?.aborted) hangUp();
  try {
    // A skill that heeds no signal is left behind, and what it says later is dropped.
    const work = skill.run({ ...context, ports, signal: ends.signal }, input);
    const output = skill.output.parse(await Promise.race([work, ended]));
    return { kind: "answer" as const, output }; // tells it from a job
  } finally {
    clearTimeout(timer);
    call.clientSignal?.removeEventListener("abort", hangUp);
  }
}

function timeIsUp(skill: Skill, timeoutMs: number): AppError {
  return new AppError("unavailable", {
    message: `The skill ${skill.name} has not answered within ${timeoutMs / 1_000} seconds. Try again later.`,
    retryAfterSeconds: 5,
  });
}

function clientClosed(): AppError {
  return new AppError("client_closed", { message: "The client closed the connection." });
}
