import type { z } from "zod";
import type { JobType, Json } from "../jobs/job-type.ts";
import type { Context } from "../kernel/context.ts";
import type { Scope } from "../kernel/scopes.ts";
import type { VinPorts } from "../vin/read-vin.ts";

/**
 * Something that the product can do, written once. From this definition come `POST /v1/skills/{name}` with its docs, a
 * tool of the chat model, a Telegram command, and a tool of the MCP server. skills.ts lists them.
 */
export type Skill<Input extends z.ZodObject = z.ZodObject, Output extends Json = Json> = {
  /** Such as `vin.decode`: domain and verb. */
  name: string;
  /** A few words for people. */
  title: string;
  /** One or two sentences that tell people and models when to use it. */
  summary: string;
  /** What the caller needs besides `skills`; none by default. */
  scope?: Scope;
  /** Every field has a description: models read it. */
  input: Input;
  output: z.ZodType<Output>;
  /** What one use costs, in micro-dollars of the team's budget; nothing by default. */
  priceMicros?: number;
  /** Whether it changes nothing, so that a model may be offered it without asking. */
  readOnly: boolean;
  telegram?: SkillCommand<z.output<Input>, Output>;
} & (
  | {
      /** Answers while the caller waits. @throws AppError */
      run(context: SkillContext, input: z.output<Input>): Promise<Output>;
    }
  | {
      /** Runs as a job; the caller gets the job, whose result is the output. */
      job: JobType<z.output<Input>, Output>;
    }
);

/** What a skill may use while it runs. */
export interface SkillContext extends Context {
  ports: SkillPorts;
  /** Aborted when nobody waits any more, or the time is up. */
  signal: AbortSignal;
}

/** What skills reach of the world. Grows with what skills need; made in the api Worker. */
export interface SkillPorts {
  /** Looks VINs up; see core/vin/read-vin.ts. */
  vin: VinPorts;
}

/** How a skill looks in Telegram. */
export interface SkillCommand<Input, Output> {
  /** Without the slash: `vin`. */
  command: string;
  /** What stands behind the command, for /help; a text in each language. */
  usage: Readonly<Record<Language, string>>;
  /** Reads what was written behind the command; null where it does not fit, and `usage` is shown. */
  parse(text: string): Input | null;
  /** What is shown, as Markdown. */
  render(output: Output, language: Language): string;
}

export type Language = "en" | "de" | "fa";
