import type { ErrorCode } from "#core/kernel/errors.ts";
import type { UnsupportedKind } from "../telegram/message-content.ts";

/** Every sentence that the bot says. The other locales have the same keys; the compiler and a test see to it. */
export interface Messages {
  /** The language's own name. */
  languageName: string;
  commands: Record<
    "new" | "model" | "usage" | "stop" | "settings" | "team" | "whoami" | "help" | "start",
    string
  >;
  help(bot: { username: string; isGroup: boolean }): string;
  start: {
    linked(p: { team: string }): string;
    linkedNow(p: { team: string }): string;
    guest: string;
    badCode: string;
  };
  notLinked(p: { isGroup: boolean }): string;
  viewerOnly(p: { team: string }): string;
  invitation: {
    joined(p: { team: string }): string;
    viewer(p: { team: string }): string;
    unknown: string;
    personal: string;
    privateOnly: string;
  };
  team: {
    choose(p: { team: string }): string;
    only(p: { team: string }): string;
    set(p: { team: string }): string;
    gone: string;
  };
  chat: {
    stopButton: string;
    stopped: string;
    nothingToStop: string;
    stopping: string;
    onlyTheAsker: string;
    inFile: string;
    empty: string;
  };
  newConversation: string;
  model: {
    choose(p: { current: string }): string;
    set(p: { model: string }): string;
    gone: string;
    none: string;
  };
  usage: {
    title(p: { from: string; to: string }): string;
    line(p: { requests: string; inputTokens: string; outputTokens: string; cost: string }): string;
    nothing: string;
  };
  settings: {
    title(p: { language: string; prompt: string }): string;
    automatic: string;
    noPrompt: string;
    promptSet: string;
    promptCleared: string;
    promptTooLong(p: { most: number }): string;
    languageSet: string;
    clearPrompt: string;
    onlyAdministrators: string;
  };
  whoami(p: {
    userId: string;
    chatId: string;
    team: string;
    model: string;
    language: string;
  }): string;
  whoamiNoTeam: string;
  defaultModel: string;
  /** Of files of VINs. */
  vinFile: {
    reading(p: { rows: string }): string;
    done(p: { rows: string; vins: string; wrong: string }): string;
    failed(p: { reason: string }): string;
    tooLarge: string;
    unavailable: string;
  };
  jobs: {
    notForGuests: string;
    failed(p: { reason: string }): string;
    fileTooLarge: string;
  };
  unsupported: Record<UnsupportedKind, string>;
  imageTooLarge: string;
  imageUnavailable: string;
  unknownCommand: string;
  tooManyWaiting(p: { most: number }): string;
  gaveUp: string;
  paused: string;
  errors: Record<ErrorCode, string>;
  requestId(p: { id: string }): string;
  admin: {
    stats(p: {
      linked: number;
      groups: number;
      blocked: number;
      teams: number;
      version: string;
    }): string;
    broadcastHow: string;
    broadcastStarted: string;
    broadcastDone(p: { handed: number; failed: number }): string;
    broadcastTooLong(p: { most: number }): string;
  };
}

const ours = "Something went wrong on our side; please try again.";
const notConfigured = "The bot is not set up correctly; please tell whoever runs it.";
const notUnderstood = "The service did not accept this message.";
const modelTrouble = "The model cannot answer right now; please try again in a moment.";

export const en: Messages = {
  languageName: "English",
  commands: {
    new: "Start a new conversation",
    model: "Choose the model",
    usage: "What was used",
    stop: "Stop the answer",
    settings: "Language and instructions",
    team: "Choose the team",
    whoami: "Ids of you and this chat",
    help: "What this bot can do",
    start: "Begin, or link this chat",
  },
  help: ({ username, isGroup }) =>
    [
      isGroup
        ? `Mention @${username} or reply to my messages, and I answer.`
        : "Write to me, or send a photo with a question, and I answer.",
      "",
      "/new – start a new conversation",
      "/model – choose the model",
      "/usage – what was used",
      "/stop – stop the answer that is being written",
      "/settings – language and instructions",
      "/team – choose the team",
      "/whoami – ids of you and this chat",
    ].join("\n"),
  start: {
    linked: ({ team }) => `This chat belongs to the team ${team}. Write to me, or see /help.`,
    linkedNow: ({ team }) =>
      `Done: this chat is now linked to the team ${team}. Write to me, or see /help.`,
    guest: "Welcome! You can use me as a guest. Write to me, or see /help.",
    badCode: "This link code is unknown, used or over its time. Ask your team for a new one.",
  },
  notLinked: ({ isGroup }) =>
    isGroup
      ? "This group is not linked to a team yet. A group administrator can link it with a code from your team: /start CODE"
      : "This chat is not linked to a team yet. Ask your team for a link code and open its link, or send: /start CODE",
  viewerOnly: ({ team }) =>
    `You are in the team ${team} as a viewer: you can look at its usage elsewhere, but not ask me anything for it. An admin of the team can make you a member.`,
  invitation: {
    joined: ({ team }) =>
      `Welcome to the team ${team}! This chat uses it from now on. Write to me, or see /help.`,
    viewer: ({ team }) =>
      `You are in the team ${team} now, as a viewer: you can look at its usage elsewhere, but not ask me anything for it.`,
    unknown: "There is no such invitation. Check that its link was copied whole.",
    personal: "This invitation is for one e-mail address; open its link in a browser instead.",
    privateOnly:
      "Please open this invitation in a private chat with me; here everybody can see it.",
  },
  team: {
    choose: ({ team }) => `This chat uses the team ${team}. Choose another:`,
    only: ({ team }) => `This chat uses the team ${team}; it has no other one.`,
    set: ({ team }) => `This chat uses the team ${team} from now on.`,
    gone: "This team is no longer there for you. Send /team again.",
  },
  chat: {
    stopButton: "⏹ Stop",
    stopped: "Stopped.",
    nothingToStop: "There is nothing to stop.",
    stopping: "Stopping…",
    onlyTheAsker: "Only the person who asked can stop this answer.",
    inFile: "The answer is long; all of it is in the file.",
    empty: "The model answered with nothing. Try to ask in other words.",
  },
  newConversation: "A new conversation begins; I no longer look at what was said before.",
  model: {
    choose: ({ current }) => `The model is ${current}. Choose another:`,
    set: ({ model }) => `The model is now ${model}.`,
    gone: "This model is no longer there. Send /model again.",
    none: "There is no model to choose from.",
  },
  usage: {
    title: ({ from, to }) => `Used by you from ${from} to ${to}:`,
    line: ({ requests, inputTokens, outputTokens, cost }) =>
      `${requests} requests, ${inputTokens} tokens in, ${outputTokens} tokens out, $${cost}`,
    nothing: "Nothing was used yet.",
  },
  settings: {
    title: ({ language, prompt }) =>
      `Language: ${language}\nInstructions: ${prompt}\n\nTo set instructions for every answer, send: /settings prompt followed by them.`,
    automatic: "automatic",
    noPrompt: "none",
    promptSet: "From now on I follow these instructions.",
    promptCleared: "The instructions are removed.",
    promptTooLong: ({ most }) => `Instructions can have at most ${most} characters.`,
    languageSet: "From now on I speak English here.",
    clearPrompt: "Remove the instructions",
    onlyAdministrators: "Only administrators of this group can do this.",
  },
  whoami: ({ userId, chatId, team, model, language }) =>
    `User: ${userId}\nChat: ${chatId}\nTeam: ${team}\nModel: ${model}\nLanguage: ${language}`,
  whoamiNoTeam: "none",
  defaultModel: "the default",
  vinFile: {
    reading: ({ rows }) => `Reading the VINs of your file: ${rows} rows so far.`,
    done: ({ rows, vins, wrong }) => `${rows} rows, ${vins} VINs, ${wrong} that are none.`,
    failed: ({ reason }) => `I could not read the VINs of this file. ${reason}`,
    tooLarge: "This file is too large; I can read up to 20 MB here.",
    unavailable: "I could not fetch this file from Telegram; please send it again.",
  },
  jobs: {
    notForGuests:
      "Guests cannot begin jobs, such as reports and files of VINs. Ask a team for a link code, and send it here: /start CODE",
    failed: ({ reason }) => `I could not do it. ${reason}`,
    fileTooLarge: "The file is too large for Telegram; get it by the API.",
  },
  unsupported: {
    voice: "I cannot listen to voice messages; please write, or send a photo.",
    audio: "I cannot listen to audio; please write, or send a photo.",
    video: "I cannot watch videos; please write, or send a photo.",
    document: "I cannot read files here; please paste the text, or send a photo.",
    sticker: "I cannot see stickers; please write, or send a photo.",
    other: "I understand text and photos only.",
  },
  imageTooLarge: "This photo is too large; please send a smaller one.",
  imageUnavailable: "I could not fetch this photo from Telegram; please send it again.",
  unknownCommand: "I do not know this command. See /help.",
  tooManyWaiting: ({ most }) =>
    `More than ${most} of your messages are waiting for an answer; I left this one out. Please send it again later.`,
  paused: "I am switched off for a while. Please write again later.",
  gaveUp: "Sorry, I could not answer this message.",
  errors: {
    invalid_json: ours,
    invalid_request: notUnderstood,
    validation_failed: notUnderstood,
    unsupported_media_type: notUnderstood,
    body_too_large: "The message is too large; please send less at once.",
    method_not_allowed: ours,
    missing_api_key: notConfigured,
    invalid_api_key: notConfigured,
    expired_api_key: notConfigured,
    revoked_api_key: notConfigured,
    disabled_api_key: notConfigured,
    invalid_token: notConfigured,
    expired_token: notConfigured,
    ip_not_allowed: notConfigured,
    origin_not_allowed: notConfigured,
    missing_scope: "Your team does not allow this here.",
    forbidden: "Your team does not allow this here.",
    skill_switched_off: "Your team has switched this skill off.",
    team_suspended: "Your team is switched off; please ask whoever runs this service.",
    read_only: "Nothing can be changed right now; please try again later.",
    provider_switched_off: "This model is switched off; choose another with /model.",
    model_not_allowed: "Your team may not use this model; choose another with /model.",
    not_found: "This is no longer there; send /new to start again.",
    model_not_found: "This model is not there; choose another with /model.",
    invitation_ended:
      "This invitation is used, revoked or over its time; ask your team for a new one.",
    conflict: "Something else changed this at the same time; please try again.",
    session_busy: "I am still answering in this conversation; please wait a moment.",
    idempotency_mismatch: ours,
    context_too_long: "The conversation is too long for this model; send /new to start a new one.",
    content_filter: "This touches what your team has ruled out; please say it in another way.",
    rate_limit_exceeded:
      "You have reached a limit of how much you may ask; please try again a little later.",
    insufficient_quota: "The budget for answers is spent; an admin of the team can raise it.",
    provider_error: modelTrouble,
    provider_unreachable: modelTrouble,
    provider_misconfigured: notConfigured,
    provider_timeout: "The model took too long; please try again.",
    provider_overloaded: "The model is overloaded; please try again in a moment.",
    provider_rate_limited: "The model has too many requests; please try again in a moment.",
    stream_cut: "The answer broke off here; please try again.",
    client_closed: ours,
    unavailable: "The service is not available right now; please try again in a moment.",
    misconfigured: notConfigured,
    internal_error: ours,
  },
  requestId: ({ id }) => `Request id: ${id}`,
  admin: {
    stats: ({ linked, groups, blocked, teams, version }) =>
      `Linked chats: ${linked}\nof these groups: ${groups}\nof these unreachable: ${blocked}\nTeams: ${teams}\nVersion: ${version}`,
    broadcastHow: "Send: /broadcast followed by the text for all linked chats.",
    broadcastStarted: "The broadcast has begun; I report here when every chat has it.",
    broadcastDone: ({ handed, failed }) =>
      `The broadcast is done: ${handed} chats, ${failed} failed.`,
    broadcastTooLong: ({ most }) => `A broadcast can have at most ${most} characters.`,
  },
};
