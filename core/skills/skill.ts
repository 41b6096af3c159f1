import type { z } from "zod";
import type { AskPorts } from "../campaigns/ask-campaigns.ts";
import type { ModelCall } from "../gateway/model-call.ts";
import type { JobType, Json } from "../jobs/job-type.ts";
import type { Context } from "../kernel/context.ts";
import type { Scope } from "../kernel/scopes.ts";
import type { VinPorts } from "../vin/read-vin.ts";

/** What a skill answers: a JSON object. `null` stands for what is not known; no field is left out. */
export type SkillOutput = z.ZodType<{ [name: string]: Json }>;

/**
 * Something that the product can do, written once. From this definition come `POST /v1/skills/{name}` with its docs, a
 * tool of the chat model, a Telegram command, and a tool of the MCP server. skills.ts lists them, README.md shows one.
 */
export type Skill<
  Input extends z.ZodObject = z.ZodObject,
  Output extends SkillOutput = SkillOutput,
> = {
  /** Such as `vin.decode`: domain and verb, in small letters, digits and underscores. */
  name: string;
  /** A few words for people. */
  title: string;
  /** One or two sentences that tell people and models when to use it. */
  summary: string;
  /** What the caller needs besides `skills`; none by default. */
  scope?: Scope;
  /** Strict, and in snake_case, as the API speaks. Every field has a description: models read it. */
  input: Input;
  output: Output;
  /** An input that works, for the docs. */
  example: z.input<Input>;
  /** What one use costs, in micro-dollars of the team's budget; nothing by default. Only what succeeds is charged. */
  priceMicros?: number;
  /** Whether it changes nothing: then the chat model may use it unasked, and it goes on while changes are switched off. */
  readOnly: boolean;
  /**
   * What stands for a use of it though nobody said so, such as a message that is nothing but a VIN. The builtin model
   * goes by it. Null for everything else; it sees all that is said to that model, so it must be quick.
   */
  recognise?(text: string): z.input<Input> | null;
  telegram?: SkillCommand<z.input<Input>, z.output<Output>>;
} & (
  | {
      /** Answers while the caller waits. @throws AppError */
      run(context: SkillContext, input: z.output<Input>): Promise<z.output<Output>>;
      /** How long it may take, in milliseconds; 30 seconds by default. */
      timeoutMs?: number;
    }
  | {
      /** Runs as a job, for which the caller needs the scope `jobs` too; it gets the job, whose result is the output. */
      job(input: z.output<Input>): SkillJob<z.output<Output>>;
    }
);

/** The job that a skill begins. */
export interface SkillJob<Result extends Json> {
  type: JobType<unknown, Result>;
  /** As the type takes it. */
  input: unknown;
}

/** Takes the types of a skill from its schemas. */
export const defineSkill = <Input extends z.ZodObject, Output extends SkillOutput>(
  skill: Skill<Input, Output>,
): Skill<Input, Output> => skill;

/** What a skill may use while it runs. */
export interface SkillContext extends Context {
  ports: SkillPorts;
  /** Aborted when nobody waits any more, or the time is up. */
  signal: AbortSignal;
}

/** What skills reach of the world. Grows with what skills need; made in workers/api/skill-host.ts. */
export interface SkillPorts {
  /** Looks VINs up; see core/vin/read-vin.ts. */
  vin: VinPorts;
  /** Asks models about campaigns, for the caller; see core/campaigns/ask-campaigns.ts. */
  campaigns(): { ports: AskPorts; call: ModelCall };
}

/** How a skill looks in Telegram. */
export interface SkillCommand<Input, Output> {
  /** Without the slash: `vin`. */
  command: string;
  /** What can be written behind the command, for /help; a line in each language. */
  usage: Readonly<Record<Language, string>>;
  /** Reads what was written behind the command; null where it does not fit, and `usage` is shown. */
  parse(text: string, language: Language): Input | null;
  /** What is shown, as Markdown. Of a job, it is the caption of its files. */
  render(output: Output, language: Language): string;
}

export type Language = "en" | "de" | "fa";
