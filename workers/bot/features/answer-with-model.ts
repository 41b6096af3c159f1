import { SKILLS } from "#core/skills/skills.ts";
import { TelegramRefusal } from "../chat-object/sender.ts";
import { type ChatEvent, type ChatPart, SwitchyardProblem } from "../switchyard/switchyard-api.ts";
import { answerMessages } from "../text/answer-messages.ts";
import type { LinkOfChat, Turn } from "../turn.ts";
import { stopKeyboard } from "../views/keyboards.ts";
import { problemText } from "../views/problem.ts";
import { skillAtWork } from "../views/skill-progress.ts";
import { type BegunJob, showBegunJobs } from "./skill-job.ts";

/** How often it is looked whether the message on the screen can be brought up to date. */
const LOOK_MS = 150;
/** A conversation that is still busy, say with an answer that was just stopped, is waited for this long. */
const BUSY_PATIENCE_MS = 90_000;
const BUSY_RETRY_MS = 500;

/**
 * Asks the model and writes its answer into one message while it comes, then formats it and sends what did not fit. Jobs
 * that the model has begun are shown below, and bring their files.
 */
export async function answerWithModel(
  turn: Turn,
  link: LinkOfChat,
  message: string | ChatPart[],
): Promise<void> {
  const { row, inbox, reply } = turn.parts;
  const terms = termsOf(turn);
  let answer = row.answer;
  if (answer === null) {
    await reply.begin(stopKeyboard(turn.say, row.updateId));
    answer = await generate(turn, link, { message, terms });
    inbox.saveAnswer(row.updateId, answer);
  }
  const messages = answerMessages(answer, turn.say.chat.inFile);
  await reply.finish(messages);
  await showBegunJobs(turn, link, { jobs: terms.jobs, reply: reply.below(messages.length) });
}

async function generate(
  turn: Turn,
  link: LinkOfChat,
  { message, terms }: Pick<Question, "message" | "terms">,
): Promise<string> {
  const { row, stopSignal } = turn.parts;
  if (row.stopped) return row.partial.trim() || turn.say.chat.stopped;
  const live = new LiveAnswer(turn);
  const showing = live.follow();
  const end = AbortSignal.any([stopSignal, live.gone]);
  let problem: unknown = null;
  try {
    await ask(turn, link, { message, terms, live, end });
  } catch (error) {
    problem = error;
  }
  live.end();
  await showing;
  if (live.refusal) throw live.refusal;
  if (isBusy(problem) && Date.now() - terms.askedAt < BUSY_PATIENCE_MS) {
    const at = Date.now() + BUSY_RETRY_MS;
    throw new TelegramRefusal({ kind: "later", at, why: "the conversation is busy" }, problem);
  }
  const text = live.text.trim();
  if (problem !== null) {
    turn.parts.log.warn("telegram_answer_failed", {
      chat_id: turn.parts.target.chatId,
      error: problem,
    });
    const sentence = problemText(turn.say, problem, row.requestId);
    return text === "" ? sentence : `${text}\n\n${sentence}`;
  }
  if (text !== "") return text;
  return stopSignal.aborted ? turn.say.chat.stopped : turn.say.chat.empty;
}

const isBusy = (problem: unknown) =>
  problem instanceof SwitchyardProblem && problem.code === "session_busy";

/** How a question is put, apart from what it says. */
interface Terms {
  sessionId: string | null;
  model: string | null;
  system: string | null;
  /** When it was first put, in milliseconds since 1970. */
  askedAt: number;
  /** Grows when the question is put in another conversation. */
  round: number;
  /** What the model has begun. */
  jobs: BegunJob[];
}

/** The terms under which this update's question was first put, or those that hold now. */
function termsOf({ parts, sessionName }: Turn): Terms {
  const { settings, row } = parts;
  if (row.question !== null) return JSON.parse(row.question) as Terms; // written by ask
  return {
    sessionId: settings.get(sessionName),
    model: settings.get("model"),
    system: settings.get("systemPrompt"),
    askedAt: Date.now(),
    round: 1,
    jobs: [],
  };
}

type ToolEvent = Extract<ChatEvent, { kind: "tool" }>;

interface Question {
  message: string | ChatPart[];
  terms: Terms;
  live: LiveAnswer;
  /** Ends the answer. */
  end: AbortSignal;
}

/** Puts the question. A conversation that has expired meanwhile is begun anew. */
async function ask(turn: Turn, link: LinkOfChat, question: Question): Promise<void> {
  const { settings, inbox, row, target } = turn.parts;
  const { message, terms, live, end } = question;
  const put = async (current: Terms) => {
    inbox.saveQuestion(row.updateId, JSON.stringify(current));
    const turnId = `telegram-${target.chatId}-${row.updateId}-${current.round}`;
    for await (const event of turn.switchyard(link).chat({ ...current, message, turnId }, end)) {
      if (event.kind === "delta") live.text += event.text;
      else if (event.kind === "tool") note(event, current);
      else settings.set(turn.sessionName, event.sessionId);
      if (event.kind === "done") live.text = event.reply;
    }
  };
  const note = (event: ToolEvent, current: Terms) => {
    const { skill, jobId } = event;
    live.working(event);
    if (jobId === null || current.jobs.some((job) => job.jobId === jobId)) return;
    current.jobs.push({ skill, jobId });
    inbox.saveQuestion(row.updateId, JSON.stringify(current));
  };
  try {
    await put(terms);
  } catch (error) {
    const gone = error instanceof SwitchyardProblem && error.code === "not_found";
    if (!gone || terms.sessionId === null || live.text !== "") throw error;
    settings.set(turn.sessionName, null);
    await put({ ...terms, sessionId: null, round: terms.round + 1 });
  }
}

/** The text as far as it has come, and the message that shows it. */
class LiveAnswer {
  text = "";
  /** Why Telegram takes nothing more for this chat. */
  refusal: TelegramRefusal | null = null;
  private readonly goneController = new AbortController();
  private readonly turn: Turn;
  private readonly ended = Promise.withResolvers<void>();
  /** Names of the skills that work at the moment, and how far their jobs are. */
  private readonly atWork = new Map<string, ToolEvent["progress"]>();
  private over = false;

  constructor(turn: Turn) {
    this.turn = turn;
  }

  /** Aborts when nobody can see the answer any more. */
  get gone(): AbortSignal {
    return this.goneController.signal;
  }

  /** A skill works for the answer, or has ended. */
  working({ skill, state, progress }: ToolEvent): void {
    if (state === "running") this.atWork.set(skill, progress);
    else this.atWork.delete(skill);
  }

  /** The text, and below it what works. */
  private get view(): string {
    const { language } = this.turn.parts;
    const skills = SKILLS.filter(({ name }) => this.atWork.has(name));
    const lines = skills.map((skill) => skillAtWork(skill, language, this.atWork.get(skill.name)));
    return [this.text, ...lines].filter((part) => part !== "").join("\n\n");
  }

  end(): void {
    this.over = true;
    this.ended.resolve();
  }

  /** Shows new text whenever Telegram's pace allows, until the end or until the chat is gone. */
  async follow(): Promise<void> {
    try {
      await this.showUntilEnd();
    } catch (error) {
      if (!(error instanceof TelegramRefusal)) throw error;
      this.refusal = error;
      this.goneController.abort();
    }
  }

  /** @throws TelegramRefusal when the chat is gone */
  private async showUntilEnd(): Promise<void> {
    const { reply, inbox, row, pace } = this.turn.parts;
    let shown = "";
    while (!this.over) {
      const wait = Math.max(LOOK_MS, pace.delay);
      await Promise.race([this.ended.promise, new Promise((resolve) => setTimeout(resolve, wait))]);
      const { text, view } = this;
      if (this.over || view === shown) continue;
      shown = view;
      inbox.savePartial(row.updateId, text);
      await reply.show(view, stopKeyboard(this.turn.say, row.updateId));
    }
  }
}
