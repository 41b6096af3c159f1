import type { ModelCall } from "../gateway/model-call.ts";
import type { ToolCall } from "./tool-calls.ts";

/** What a tool does, as whoever waits for the answer is told. */
export interface ToolState {
  name: string;
  state: "running" | "done" | "failed";
  /** The job that it has begun; left out where it begins none. */
  job_id?: string;
  /** How far that job is. */
  progress?: { done: number; total: number | null; message: string };
}

/** What came of a call. */
export interface ToolResult {
  ok: boolean;
  /** For the model: JSON. */
  content: string;
  /** In micro-dollars. */
  costMicros: number;
  /** The job that it has begun, which may go on after the turn. */
  jobId?: string;
}

/** One call of a tool. */
export interface ToolUse {
  /** The call as one of its own, with an id of its own. */
  call: ModelCall;
  /** Names the call: a turn that died and is taken again gives it the same name. */
  once: string;
  /** Told of the job that it has begun, and of how far that is. */
  onJob(job: Pick<ToolState, "job_id" | "progress">): void;
}

/** The tools that the model may use in one turn. They are run here, with the rights of whoever asks. */
export interface TurnTools {
  /** As OpenAI's `tools`; at least one. */
  definitions: readonly object[];
  /** How many tokens they take in a prompt, estimated. */
  tokens: number;
  /** What people call the tool of this name; the name itself where there is no such tool. */
  shownName(toolName: string): string;
  /**
   * Calls a tool. Never rejects: what goes wrong is the result, for the model to read.
   */
  run(tool: ToolCall, use: ToolUse): Promise<ToolResult>;
}

/** Finds the tools of a turn. */
export interface ToolBox {
  /**
   * @param wanted names of skills; null: those that are offered unasked
   * @returns null where there are none
   * @throws AppError `validation_failed` where one is wanted that there is not
   */
  toolsFor(
    call: ModelCall,
    wanted: readonly string[] | null,
  ): TurnTools | null | Promise<TurnTools | null>;
  /** Whether the model has refused a request for its tools a while ago. */
  refusesTools(model: string): boolean;
  noteRefusal(model: string): void;
}
