import type { Messages } from "./en.ts";

const ours = "Bei uns ist etwas schiefgegangen; bitte versuche es noch einmal.";
const notConfigured =
  "Der Bot ist nicht richtig eingerichtet; bitte sag es denen, die ihn betreiben.";
const notUnderstood = "Der Dienst hat diese Nachricht nicht angenommen.";
const modelTrouble =
  "Das Modell kann gerade nicht antworten; bitte versuche es gleich noch einmal.";

export const de: Messages = {
  languageName: "Deutsch",
  commands: {
    new: "Neues Gespräch beginnen",
    model: "Modell wählen",
    usage: "Was verbraucht wurde",
    stop: "Antwort anhalten",
    settings: "Sprache und Anweisungen",
    team: "Team wählen",
    whoami: "Kennungen von dir und diesem Chat",
    help: "Was dieser Bot kann",
    start: "Anfangen oder Chat verknüpfen",
  },
  help: ({ username, isGroup }) =>
    [
      isGroup
        ? `Erwähne @${username} oder antworte auf meine Nachrichten, dann antworte ich.`
        : "Schreib mir oder schick ein Foto mit einer Frage, dann antworte ich.",
      "",
      "/new – ein neues Gespräch beginnen",
      "/model – das Modell wählen",
      "/usage – was verbraucht wurde",
      "/stop – die laufende Antwort anhalten",
      "/settings – Sprache und Anweisungen",
      "/team – das Team wählen",
      "/whoami – Kennungen von dir und diesem Chat",
    ].join("\n"),
  start: {
    linked: ({ team }) => `Dieser Chat gehört zum Team ${team}. Schreib mir, oder siehe /help.`,
    linkedNow: ({ team }) =>
      `Fertig: Dieser Chat ist jetzt mit dem Team ${team} verknüpft. Schreib mir, oder siehe /help.`,
    guest: "Willkommen! Du kannst mich als Gast benutzen. Schreib mir, oder siehe /help.",
    badCode: "Dieser Code ist unbekannt, benutzt oder abgelaufen. Bitte dein Team um einen neuen.",
  },
  notLinked: ({ isGroup }) =>
    isGroup
      ? "Diese Gruppe ist noch mit keinem Team verknüpft. Wer sie verwaltet, kann das mit einem Code des Teams tun: /start CODE"
      : "Dieser Chat ist noch mit keinem Team verknüpft. Bitte dein Team um einen Code und öffne seinen Link, oder sende: /start CODE",
  viewerOnly: ({ team }) =>
    `Du bist im Team ${team} als Betrachter: Du kannst anderswo ansehen, was es verbraucht, mich aber nichts für das Team fragen. Ein Admin des Teams kann dich zum Mitglied machen.`,
  invitation: {
    joined: ({ team }) =>
      `Willkommen im Team ${team}! Dieser Chat benutzt es von jetzt an. Schreib mir, oder siehe /help.`,
    viewer: ({ team }) =>
      `Du bist jetzt im Team ${team}, zum Zusehen: Was verbraucht wird, siehst du anderswo, fragen kannst du mich dafür nicht.`,
    unknown: "Diese Einladung gibt es nicht. Sieh nach, ob der Link ganz kopiert ist.",
    personal:
      "Diese Einladung gilt für eine E-Mail-Adresse; öffne ihren Link stattdessen im Browser.",
    privateOnly:
      "Bitte öffne diese Einladung in einem privaten Chat mit mir; hier kann sie jeder sehen.",
  },
  team: {
    choose: ({ team }) => `Dieser Chat benutzt das Team ${team}. Wähle ein anderes:`,
    only: ({ team }) => `Dieser Chat benutzt das Team ${team}; ein anderes hat er nicht.`,
    set: ({ team }) => `Dieser Chat benutzt von jetzt an das Team ${team}.`,
    gone: "Dieses Team gibt es für dich nicht mehr. Sende /team noch einmal.",
  },
  chat: {
    stopButton: "⏹ Anhalten",
    stopped: "Angehalten.",
    nothingToStop: "Es gibt nichts anzuhalten.",
    stopping: "Wird angehalten…",
    onlyTheAsker: "Nur wer gefragt hat, kann diese Antwort anhalten.",
    inFile: "Die Antwort ist lang; sie steht ganz in der Datei.",
    empty: "Das Modell hat nichts geantwortet. Frag bitte mit anderen Worten.",
  },
  newConversation: "Ein neues Gespräch beginnt; was vorher gesagt wurde, sehe ich nicht mehr an.",
  model: {
    choose: ({ current }) => `Das Modell ist ${current}. Wähle ein anderes:`,
    set: ({ model }) => `Das Modell ist jetzt ${model}.`,
    gone: "Dieses Modell gibt es nicht mehr. Sende /model noch einmal.",
    none: "Es gibt kein Modell zur Auswahl.",
  },
  usage: {
    title: ({ from, to }) => `Von dir verbraucht vom ${from} bis ${to}:`,
    line: ({ requests, inputTokens, outputTokens, cost }) =>
      `${requests} Anfragen, ${inputTokens} Token hinein, ${outputTokens} Token heraus, ${cost} $`,
    nothing: "Es wurde noch nichts verbraucht.",
  },
  settings: {
    title: ({ language, prompt }) =>
      `Sprache: ${language}\nAnweisungen: ${prompt}\n\nUm Anweisungen für jede Antwort zu setzen, sende: /settings prompt und dahinter den Text.`,
    automatic: "automatisch",
    noPrompt: "keine",
    promptSet: "Von jetzt an halte ich mich an diese Anweisungen.",
    promptCleared: "Die Anweisungen sind entfernt.",
    promptTooLong: ({ most }) => `Anweisungen dürfen höchstens ${most} Zeichen haben.`,
    languageSet: "Von jetzt an spreche ich hier Deutsch.",
    clearPrompt: "Anweisungen entfernen",
    onlyAdministrators: "Das können nur Administratoren dieser Gruppe.",
  },
  whoami: ({ userId, chatId, team, model, language }) =>
    `Benutzer: ${userId}\nChat: ${chatId}\nTeam: ${team}\nModell: ${model}\nSprache: ${language}`,
  whoamiNoTeam: "keines",
  defaultModel: "das voreingestellte",
  vinFile: {
    reading: ({ rows }) => `Ich lese die Fahrgestellnummern: bisher ${rows} Zeilen.`,
    done: ({ rows, vins, wrong }) =>
      `${rows} Zeilen, ${vins} Fahrgestellnummern, ${wrong} die keine sind.`,
    failed: ({ reason }) => `Diese Datei konnte ich nicht lesen. ${reason}`,
    tooLarge: "Diese Datei ist zu groß; hier lese ich bis zu 20 MB.",
    unavailable: "Ich konnte die Datei nicht von Telegram holen; bitte schick sie noch einmal.",
  },
  jobs: {
    notForGuests:
      "Gäste können keine Aufträge beginnen, etwa Berichte oder Dateien mit Fahrgestellnummern. Bitte ein Team um einen Code und schick ihn hierher: /start CODE",
    failed: ({ reason }) => `Das hat nicht geklappt. ${reason}`,
    fileTooLarge: "Die Datei ist zu groß für Telegram; sie ist über die API zu haben.",
  },
  unsupported: {
    voice: "Sprachnachrichten kann ich nicht hören; bitte schreib, oder schick ein Foto.",
    audio: "Tonaufnahmen kann ich nicht hören; bitte schreib, oder schick ein Foto.",
    video: "Videos kann ich nicht ansehen; bitte schreib, oder schick ein Foto.",
    document: "Dateien kann ich hier nicht lesen; bitte füge den Text ein, oder schick ein Foto.",
    sticker: "Sticker kann ich nicht sehen; bitte schreib, oder schick ein Foto.",
    other: "Ich verstehe nur Text und Fotos.",
  },
  imageTooLarge: "Dieses Foto ist zu groß; bitte schick ein kleineres.",
  imageUnavailable: "Ich konnte dieses Foto nicht von Telegram holen; bitte schick es noch einmal.",
  unknownCommand: "Diesen Befehl kenne ich nicht. Siehe /help.",
  tooManyWaiting: ({ most }) =>
    `Mehr als ${most} deiner Nachrichten warten auf eine Antwort; diese habe ich ausgelassen. Bitte sende sie später noch einmal.`,
  paused: "Ich bin gerade abgeschaltet. Bitte schreib später noch einmal.",
  gaveUp: "Entschuldige, diese Nachricht konnte ich nicht beantworten.",
  errors: {
    invalid_json: ours,
    invalid_request: notUnderstood,
    validation_failed: notUnderstood,
    unsupported_media_type: notUnderstood,
    body_too_large: "Die Nachricht ist zu groß; bitte sende weniger auf einmal.",
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
    missing_scope: "Dein Team erlaubt das hier nicht.",
    forbidden: "Dein Team erlaubt das hier nicht.",
    skill_switched_off: "Dieses Können ist für dein Team abgeschaltet.",
    team_suspended: "Dein Team ist abgeschaltet; bitte frag, wer diesen Dienst betreibt.",
    read_only: "Gerade kann nichts geändert werden; bitte versuch es später noch einmal.",
    provider_switched_off: "Dieses Modell ist abgeschaltet; wähle mit /model ein anderes.",
    model_not_allowed: "Dein Team darf dieses Modell nicht benutzen; wähle ein anderes mit /model.",
    not_found: "Das gibt es nicht mehr; sende /new, um neu anzufangen.",
    model_not_found: "Dieses Modell gibt es nicht; wähle ein anderes mit /model.",
    invitation_ended:
      "Diese Einladung ist verbraucht, zurückgezogen oder abgelaufen; bitte dein Team um eine neue.",
    conflict: "Etwas anderes hat das gleichzeitig geändert; bitte versuche es noch einmal.",
    session_busy: "Ich antworte in diesem Gespräch noch; bitte warte einen Moment.",
    idempotency_mismatch: ours,
    context_too_long:
      "Das Gespräch ist für dieses Modell zu lang; sende /new, um ein neues zu beginnen.",
    content_filter: "Das berührt, was Dein Team ausgeschlossen hat; bitte sage es anders.",
    rate_limit_exceeded:
      "Du hast eine Obergrenze für Anfragen erreicht; bitte versuche es etwas später noch einmal.",
    insufficient_quota:
      "Das Budget für Antworten ist aufgebraucht; wer das Team verwaltet, kann es erhöhen.",
    provider_error: modelTrouble,
    provider_unreachable: modelTrouble,
    provider_misconfigured: notConfigured,
    provider_timeout: "Das Modell hat zu lange gebraucht; bitte versuche es noch einmal.",
    provider_overloaded: "Das Modell ist überlastet; bitte versuche es gleich noch einmal.",
    provider_rate_limited:
      "Das Modell hat zu viele Anfragen; bitte versuche es gleich noch einmal.",
    stream_cut: "Die Antwort ist hier abgebrochen; bitte versuche es noch einmal.",
    client_closed: ours,
    unavailable: "Der Dienst ist gerade nicht erreichbar; bitte versuche es gleich noch einmal.",
    misconfigured: notConfigured,
    internal_error: ours,
  },
  requestId: ({ id }) => `Anfragekennung: ${id}`,
  admin: {
    stats: ({ linked, groups, blocked, teams, version }) =>
      `Verknüpfte Chats: ${linked}\ndavon Gruppen: ${groups}\ndavon unerreichbar: ${blocked}\nTeams: ${teams}\nVersion: ${version}`,
    broadcastHow: "Sende: /broadcast und dahinter den Text für alle verknüpften Chats.",
    broadcastStarted: "Die Rundnachricht läuft; ich melde hier, wenn jeder Chat sie hat.",
    broadcastDone: ({ handed, failed }) =>
      `Die Rundnachricht ist fertig: ${handed} Chats, ${failed} fehlgeschlagen.`,
    broadcastTooLong: ({ most }) => `Eine Rundnachricht darf höchstens ${most} Zeichen haben.`,
  },
};
