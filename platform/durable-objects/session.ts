import { DurableObject } from "cloudflare:workers";
import { z } from "zod";
import { newId } from "#core/kernel/ids.ts";
import type {
  PromptMessage,
  SessionChanges,
  SessionInfo,
  SessionMessage,
  SessionStore,
  TurnBegin,
  TurnEnd,
  TurnRetry,
  TurnStart,
} from "#core/sessions/session.ts";
import { messageTokens, trimHistory } from "#core/sessions/trim-history.ts";
import { consoleLogger } from "../logger.ts";
import { databaseSettings, readSettings, sessionSettings } from "../settings.ts";
import type { RetriedAnswer } from "./session-history.ts";
import { SessionIndex } from "./session-index.ts";
import { retryOf, type SessionRow, SessionStorage, type TurnRow } from "./session-storage.ts";

const settingsShape = z.object({ ...databaseSettings, ...sessionSettings });

const DAY_MS = 24 * 60 * 60 * 1000;
/** For how long a call that is sent again gets its first answer; the call that made the session gets it for good. */
const RETRY_MS = DAY_MS;
/** How long a caller waits for the index row to follow; after that, the alarm sees to it. */
const INDEX_WAIT_MS = 2_000;
/** When the index row is tried again after a failure: at first, and at most. */
const INDEX_RETRY_MS = 1_000;
const INDEX_RETRY_LIMIT_MS = 60_000;

/**
 * One chat session, named by its id: history, title and prompt live here and nowhere else. One turn at a time, under a
 * lease that whoever runs it renews; what a turn said is written when it ends, both sides together. An idle session
 * erases itself by its alarm. The index row in Postgres follows: at once where it can, by the alarm where it could not.
 */
export class Session extends DurableObject implements SessionStore {
  private readonly storage = new SessionStorage(this.ctx.storage.sql);
  private readonly settings = readSettings(settingsShape, this.env as object); // bindings and settings, of which the shape takes what it names
  private readonly index = new SessionIndex(this.settings);
  private readonly log = consoleLogger(this.settings.LOG_LEVEL, "api");
  private readonly idleMs = this.settings.SESSION_IDLE_DAYS * DAY_MS;
  private readonly leaseMs = this.settings.SESSION_TURN_LEASE_SECONDS * 1000;
  /** Statements to Postgres go one after another, so that none that is late brings back what a later one removed. */
  private following: Promise<void> = Promise.resolve();
  private failures = 0;

  async read(teamId: string | null): Promise<SessionInfo | null> {
    const row = this.reach(teamId);
    return row && this.storage.info(row);
  }

  async change(teamId: string | null, changes: SessionChanges): Promise<SessionInfo | null> {
    if (!this.reach(teamId)) return null;
    this.write(() => {
      for (const name of ["title", "model", "system"] as const) {
        const value = changes[name];
        if (value !== undefined) this.storage.set(name, value);
      }
      this.storage.changed(Date.now());
    });
    await this.schedule();
    await this.follow();
    return this.read(teamId);
  }

  async messages(
    teamId: string | null,
    page: { limit: number; before: number | null },
  ): Promise<{ messages: SessionMessage[]; more: boolean } | null> {
    return this.reach(teamId) && this.storage.history.list(page);
  }

  async reset(teamId: string | null): Promise<SessionInfo | "busy" | null> {
    if (!this.reach(teamId)) return null;
    const turn = this.storage.turn();
    if (turn && turn.until > Date.now()) return "busy";
    this.write(() => {
      this.storage.history.forgetAll();
      this.storage.endTurn();
      this.storage.changed(Date.now());
    });
    await this.schedule();
    await this.follow();
    return this.read(teamId);
  }

  async erase(teamId: string | null): Promise<boolean> {
    const row = this.reach(teamId);
    if (!row) return false;
    this.write(() => this.storage.erase(row.id));
    await this.schedule();
    await this.follow();
    return true;
  }

  async begin(teamId: string | null, start: TurnStart): Promise<TurnBegin> {
    const begun = this.write(() => this.tryBegin(teamId, start, Date.now()));
    if (begun.state === "begun") await this.schedule();
    return begun;
  }

  async renew(turnId: string): Promise<boolean> {
    if (this.storage.turn()?.id !== turnId) return false;
    this.storage.renewTurn(Date.now() + this.leaseMs);
    return true;
  }

  async finish(end: TurnEnd): Promise<boolean> {
    const finished = this.write(() => this.tryFinish(end, Date.now()));
    // Should the object die here, the alarm that the turn's beginning has set brings the index row up to date.
    if (finished) await this.follow();
    return finished;
  }

  async abandon(turnId: string): Promise<void> {
    const turn = this.storage.turn();
    if (turn?.id === turnId) await this.drop(turn);
  }

  override async alarm(): Promise<void> {
    try {
      const now = Date.now();
      const turn = this.storage.turn();
      if (turn && turn.until <= now) await this.drop(turn);
      const row = this.storage.session();
      const idle = row && !this.storage.turn() && row.last_active_at + this.idleMs <= now;
      if (idle) this.write(() => this.storage.erase(row.id));
      await this.follow();
      await this.schedule();
    } catch (error) {
      // An alarm that throws is tried again only a few times; this one has to come back whatever happens.
      this.log.error("session_alarm_failed", { error });
      await this.ctx.storage.setAlarm(Date.now() + INDEX_RETRY_LIMIT_MS);
    }
  }

  private tryBegin(teamId: string | null, start: TurnStart, now: number): TurnBegin {
    const { storage } = this;
    const row = this.reach(teamId);
    if (!row && (!start.create || storage.session())) return { state: "unknown" };
    const earlier = row && this.earlierAnswer(row, start.retry, now);
    const replaced = earlier && this.isReplaced(earlier);
    if (earlier && earlier.requestHash !== start.retry?.requestHash) return { state: "mismatch" };
    if (earlier && !replaced) return { state: "answered", answer: earlier.answer };
    const running = storage.turn();
    if (running && running.until > now && !isSameCall(running, start)) return { state: "busy" };
    if (row?.born && start.create && !replaced) return { state: "forgotten" };
    const system = start.system === undefined ? (row?.system ?? null) : start.system;
    const systemTokens = system === null ? 0 : messageTokens("system", system);
    const room = start.promptTokens - systemTokens - messageTokens("user", start.message);
    if (room < 0) return { state: "too_long" };
    if (running) this.forgetTurn(running);
    if (replaced) storage.history.forgetAnswer(earlier.position);
    if (!row && start.create) {
      const { id, teamId: team, keyId, endUser, model } = start.create;
      const made_by = start.retry?.key ?? null;
      storage.create({ id, team_id: team, key_id: keyId, end_user: endUser, model, made_by }, now);
    }
    const { history } = storage;
    const kept = trimHistory(history.weighed(), room, start.withTools);
    const messages = kept.flatMap(({ message: { id, role }, calls }): PromptMessage[] => [
      ...(calls ? history.readCalls(id) : []),
      { role, content: history.readContent(id) },
    ]);
    const taken = kept.reduce((sum, one) => sum + one.message.tokens, 0);
    const takenByCalls = kept.reduce(
      (sum, one) => sum + (one.calls ? one.message.toolTokens : 0),
      0,
    );
    this.beginTurn(start, now);
    return {
      state: "begun",
      messages: [
        ...(system === null ? [] : [{ role: "system" as const, content: system }]),
        ...messages,
        { role: "user", content: start.message },
      ],
      leaseMs: this.leaseMs,
      room: room - taken - takenByCalls,
      place: history.lastPosition(),
    };
  }

  /** The answer to a call that was sent before. The call that made the session is known as long as its answer is. */
  private earlierAnswer(
    row: SessionRow,
    retry: TurnRetry | null,
    now: number,
  ): RetriedAnswer | null {
    const earlier = retry && this.storage.history.answerTo(retry.key);
    if (!earlier) return null;
    return now < earlier.createdAt + RETRY_MS || row.made_by === retry.key ? earlier : null;
  }

  /** An answer that was broken off is none: the call, sent again, takes its place, unless the talk has gone on. */
  private isReplaced(earlier: RetriedAnswer): boolean {
    return (
      earlier.answer.finishReason === "aborted" && this.storage.history.isNewest(earlier.position)
    );
  }

  private beginTurn(start: TurnStart, now: number): void {
    const { storage } = this;
    const message_id = newId("message", now);
    storage.beginTurn({
      id: start.turnId,
      until: now + this.leaseMs,
      message_id,
      retry_key: start.retry?.key ?? null,
      request_hash: start.retry?.requestHash ?? null,
      started_at: now,
    });
    storage.history.writeContent(message_id, start.message);
  }

  private tryFinish(end: TurnEnd, now: number): boolean {
    const { storage } = this;
    if (!storage.session()) return false;
    if (storage.history.has(end.messageId)) return true; // the same call again, whose answer was lost on its way
    const turn = storage.turn();
    if (turn?.id !== end.turnId) return false;
    storage.endTurn();
    storage.history.addQuestion(turn.message_id, turn.started_at);
    storage.history.addAnswer(end, retryOf(turn), now);
    storage.history.addCalls(end.messageId, end.toolMessages ?? []);
    storage.countTurn(end.model, { input: end.inputTokens, output: end.outputTokens });
    if (end.chosenModel !== undefined) storage.set("model", end.chosenModel);
    if (end.system !== undefined) storage.set("system", end.system);
    storage.changed(now);
    return true;
  }

  /** Gives a turn up: a session that it was to make goes with it. */
  private async drop(turn: TurnRow): Promise<void> {
    if (this.storage.session()?.born) this.write(() => this.forgetTurn(turn));
    else await this.ctx.storage.deleteAll();
    await this.schedule();
  }

  private forgetTurn(turn: TurnRow): void {
    this.storage.endTurn();
    this.storage.history.forgetContent(turn.message_id);
  }

  /** The session, where there is one and the team may reach it. */
  private reach(teamId: string | null): SessionRow | null {
    const row = this.storage.session();
    return row && (teamId === null || row.team_id === teamId) ? row : null;
  }

  private write<T>(work: () => T): T {
    return this.ctx.storage.transactionSync(work);
  }

  /** Lets the index row follow what is stored here, and waits for it a short while. */
  private async follow(): Promise<void> {
    this.following = this.following.then(() => this.followNow());
    let timer: ReturnType<typeof setTimeout> | undefined;
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, INDEX_WAIT_MS);
    });
    await Promise.race([this.following, enough]);
    clearTimeout(timer);
  }

  private async followNow(): Promise<void> {
    try {
      await this.writeIndex();
      this.failures = 0;
    } catch (error) {
      this.failures++;
      this.log.warn("session_index_failed", { failures: this.failures, error });
    }
    await this.schedule().catch((error: unknown) =>
      this.log.error("session_schedule_failed", { error }),
    );
  }

  private async writeIndex(): Promise<void> {
    const row = this.storage.session();
    if (row?.born && row.version > row.indexed) {
      const outcome = await this.index.write(this.storage.info(row));
      const stillThere = this.storage.session()?.id === row.id;
      if (stillThere && outcome === "written") this.storage.indexed(row.version);
      if (stillThere && outcome === "team_gone") this.write(() => this.storage.erase(row.id));
    }
    const erased = this.storage.erased();
    if (erased === null) return;
    await this.index.remove(erased);
    if (this.storage.erased() === erased) await this.ctx.storage.deleteAll();
  }

  /** Sets the alarm for whatever comes next: a turn's lease, the index row, the end of an idle session. */
  private async schedule(): Promise<void> {
    const next = this.nextWake(Date.now());
    if (next === null || (await this.ctx.storage.getAlarm()) === next) return;
    await this.ctx.storage.setAlarm(next);
  }

  private nextWake(now: number): number | null {
    const retryAt =
      now + Math.min(INDEX_RETRY_LIMIT_MS, INDEX_RETRY_MS * 2 ** Math.min(this.failures, 10));
    if (this.storage.erased() !== null) return retryAt;
    const row = this.storage.session();
    if (!row) return null;
    const turn = this.storage.turn();
    const times = [turn ? turn.until : row.last_active_at + this.idleMs];
    if (row.born && row.version > row.indexed) times.push(retryAt);
    return Math.max(now, Math.min(...times));
  }
}

/** Whether the turn that runs is this one: asked again, or given up by a caller who asks again under the same key. */
function isSameCall(running: TurnRow, { turnId, retry }: TurnStart): boolean {
  if (running.id === turnId) return true;
  if (!retry?.takesOver) return false;
  return running.retry_key === retry.key && running.request_hash === retry.requestHash;
}
