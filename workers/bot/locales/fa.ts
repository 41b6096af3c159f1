import type { Messages } from "./en.ts";

const ours = "مشکلی از طرف ما پیش آمد؛ لطفاً دوباره امتحان کنید.";
const notConfigured = "ربات درست تنظیم نشده است؛ لطفاً به گردانندهٔ آن خبر بدهید.";
const notUnderstood = "سرویس این پیام را نپذیرفت.";
const modelTrouble = "مدل الان نمی‌تواند پاسخ بدهد؛ لطفاً کمی بعد دوباره امتحان کنید.";

export const fa: Messages = {
  languageName: "فارسی",
  commands: {
    new: "شروع گفتگوی تازه",
    model: "انتخاب مدل",
    usage: "میزان مصرف",
    stop: "توقف پاسخ",
    settings: "زبان و دستورها",
    team: "انتخاب تیم",
    whoami: "شناسهٔ شما و این گفتگو",
    help: "این ربات چه می‌کند",
    start: "شروع یا پیوند این گفتگو",
  },
  help: ({ username, isGroup }) =>
    [
      isGroup
        ? `از @${username} نام ببرید یا به پیام‌های من پاسخ بدهید تا جواب بدهم.`
        : "برایم بنویسید یا عکسی همراه پرسش بفرستید تا پاسخ بدهم.",
      "",
      "/new – شروع گفتگوی تازه",
      "/model – انتخاب مدل",
      "/usage – میزان مصرف",
      "/stop – توقف پاسخی که در حال نوشتن است",
      "/settings – زبان و دستورها",
      "/team – انتخاب تیم",
      "/whoami – شناسهٔ شما و این گفتگو",
    ].join("\n"),
  start: {
    linked: ({ team }) => `این گفتگو به تیم ${team} تعلق دارد. برایم بنویسید یا /help را ببینید.`,
    linkedNow: ({ team }) =>
      `انجام شد: این گفتگو به تیم ${team} پیوند خورد. برایم بنویسید یا /help را ببینید.`,
    guest:
      "خوش آمدید! می‌توانید به‌عنوان مهمان از من استفاده کنید. برایم بنویسید یا /help را ببینید.",
    badCode: "این کد ناشناخته، مصرف‌شده یا منقضی است. از تیم خود کد تازه‌ای بخواهید.",
  },
  notLinked: ({ isGroup }) =>
    isGroup
      ? "این گروه هنوز به تیمی پیوند نخورده است. مدیر گروه می‌تواند با کدی از تیم شما آن را پیوند بدهد: ‎/start CODE"
      : "این گفتگو هنوز به تیمی پیوند نخورده است. از تیم خود کد پیوند بخواهید و لینک آن را باز کنید، یا بفرستید: ‎/start CODE",
  viewerOnly: ({ team }) =>
    `شما در تیم ${team} فقط بیننده‌اید: مصرف آن را جای دیگر می‌بینید، اما نمی‌توانید برای آن از من چیزی بپرسید. مدیر تیم می‌تواند شما را عضو کند.`,
  invitation: {
    joined: ({ team }) =>
      `به تیم ${team} خوش آمدید! این گفتگو از این پس از آن استفاده می‌کند. برایم بنویسید یا /help را ببینید.`,
    viewer: ({ team }) =>
      `اکنون عضو تیم ${team} هستید، به‌عنوان بیننده: مصرف آن را در جای دیگری می‌بینید، اما نمی‌توانید برای آن از من بپرسید.`,
    unknown: "چنین دعوتی وجود ندارد. بررسی کنید که لینک آن کامل کپی شده باشد.",
    personal: "این دعوت برای یک نشانی ایمیل است؛ لینک آن را در مرورگر باز کنید.",
    privateOnly: "لطفاً این دعوت را در گفتگوی خصوصی با من باز کنید؛ اینجا همه آن را می‌بینند.",
  },
  team: {
    choose: ({ team }) => `این گفتگو از تیم ${team} استفاده می‌کند. تیم دیگری انتخاب کنید:`,
    only: ({ team }) => `این گفتگو از تیم ${team} استفاده می‌کند و تیم دیگری ندارد.`,
    set: ({ team }) => `این گفتگو از این پس از تیم ${team} استفاده می‌کند.`,
    gone: "این تیم دیگر در دسترس شما نیست. دوباره /team را بفرستید.",
  },
  chat: {
    stopButton: "⏹ توقف",
    stopped: "متوقف شد.",
    nothingToStop: "چیزی برای توقف نیست.",
    stopping: "در حال توقف…",
    onlyTheAsker: "فقط کسی که پرسیده می‌تواند این پاسخ را متوقف کند.",
    inFile: "پاسخ بلند است؛ همهٔ آن در پرونده آمده است.",
    empty: "مدل پاسخی نداد. با کلمات دیگری بپرسید.",
  },
  newConversation: "گفتگوی تازه‌ای شروع شد؛ دیگر به حرف‌های پیشین نگاه نمی‌کنم.",
  model: {
    choose: ({ current }) => `مدل ${current} است. مدل دیگری انتخاب کنید:`,
    set: ({ model }) => `از این پس مدل ${model} است.`,
    gone: "این مدل دیگر وجود ندارد. دوباره /model را بفرستید.",
    none: "مدلی برای انتخاب نیست.",
  },
  usage: {
    title: ({ from, to }) => `مصرف شما از ${from} تا ${to}:`,
    line: ({ requests, inputTokens, outputTokens, cost }) =>
      `${requests} درخواست، ${inputTokens} توکن ورودی، ${outputTokens} توکن خروجی، ${cost} دلار`,
    nothing: "هنوز چیزی مصرف نشده است.",
  },
  settings: {
    title: ({ language, prompt }) =>
      `زبان: ${language}\nدستورها: ${prompt}\n\nبرای تعیین دستور برای همهٔ پاسخ‌ها بفرستید: ‎/settings prompt و پس از آن متن.`,
    automatic: "خودکار",
    noPrompt: "ندارد",
    promptSet: "از این پس این دستورها را رعایت می‌کنم.",
    promptCleared: "دستورها برداشته شد.",
    promptTooLong: ({ most }) => `دستورها حداکثر ${most} نویسه می‌تواند باشد.`,
    languageSet: "از این پس اینجا فارسی صحبت می‌کنم.",
    clearPrompt: "برداشتن دستورها",
    onlyAdministrators: "فقط مدیران این گروه می‌توانند این کار را بکنند.",
  },
  whoami: ({ userId, chatId, team, model, language }) =>
    `کاربر: ${userId}\nگفتگو: ${chatId}\nتیم: ${team}\nمدل: ${model}\nزبان: ${language}`,
  whoamiNoTeam: "ندارد",
  defaultModel: "پیش‌فرض",
  vinFile: {
    reading: ({ rows }) => `شماره‌های شناسایی پرونده را می‌خوانم: تا اینجا ${rows} سطر.`,
    done: ({ rows, vins, wrong }) => `${rows} سطر، ${vins} شمارهٔ شناسایی، ${wrong} نادرست.`,
    failed: ({ reason }) => `نتوانستم این پرونده را بخوانم.\n${reason}`,
    tooLarge: "این پرونده بیش از حد بزرگ است؛ اینجا تا ۲۰ مگابایت می‌خوانم.",
    unavailable: "نتوانستم این پرونده را از تلگرام بگیرم؛ لطفاً دوباره بفرستید.",
  },
  jobs: {
    notForGuests:
      "مهمان‌ها نمی‌توانند کاری مانند گزارش یا پردازش پرونده را آغاز کنند. از یک تیم کد پیوند بگیرید و اینجا بفرستید: /start CODE",
    failed: ({ reason }) => `این کار انجام نشد.\n${reason}`,
    fileTooLarge: "پرونده برای تلگرام بیش از حد بزرگ است؛ آن را از API بگیرید.",
  },
  unsupported: {
    voice: "نمی‌توانم پیام صوتی را بشنوم؛ لطفاً بنویسید یا عکس بفرستید.",
    audio: "نمی‌توانم صدا را بشنوم؛ لطفاً بنویسید یا عکس بفرستید.",
    video: "نمی‌توانم ویدیو ببینم؛ لطفاً بنویسید یا عکس بفرستید.",
    document: "اینجا نمی‌توانم پرونده بخوانم؛ لطفاً متن را بفرستید یا عکس بفرستید.",
    sticker: "نمی‌توانم استیکر را ببینم؛ لطفاً بنویسید یا عکس بفرستید.",
    other: "فقط متن و عکس را می‌فهمم.",
  },
  imageTooLarge: "این عکس بیش از حد بزرگ است؛ لطفاً کوچک‌ترش را بفرستید.",
  imageUnavailable: "نتوانستم این عکس را از تلگرام بگیرم؛ لطفاً دوباره بفرستید.",
  unknownCommand: "این فرمان را نمی‌شناسم. /help را ببینید.",
  tooManyWaiting: ({ most }) =>
    `بیش از ${most} پیام شما منتظر پاسخ است؛ این یکی را کنار گذاشتم. لطفاً بعداً دوباره بفرستید.`,
  paused: "فعلاً خاموش هستم. لطفاً بعداً دوباره بنویسید.",
  gaveUp: "ببخشید، نتوانستم به این پیام پاسخ بدهم.",
  errors: {
    invalid_json: ours,
    invalid_request: notUnderstood,
    validation_failed: notUnderstood,
    unsupported_media_type: notUnderstood,
    body_too_large: "پیام بیش از حد بزرگ است؛ لطفاً کمتر بفرستید.",
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
    missing_scope: "تیم شما این کار را اینجا اجازه نمی‌دهد.",
    forbidden: "تیم شما این کار را اینجا اجازه نمی‌دهد.",
    skill_switched_off: "تیم شما این مهارت را خاموش کرده است.",
    team_suspended: "تیم شما خاموش شده است؛ لطفاً از گردانندهٔ این سرویس بپرسید.",
    read_only: "فعلاً چیزی را نمی‌توان تغییر داد؛ لطفاً بعداً دوباره امتحان کنید.",
    provider_switched_off: "این مدل خاموش شده است؛ با ‎/model مدل دیگری انتخاب کنید.",
    model_not_allowed:
      "تیم شما اجازهٔ استفاده از این مدل را ندارد؛ با /model مدل دیگری انتخاب کنید.",
    not_found: "این دیگر وجود ندارد؛ برای شروع دوباره /new را بفرستید.",
    model_not_found: "این مدل وجود ندارد؛ با /model مدل دیگری انتخاب کنید.",
    invitation_ended:
      "این دعوت‌نامه مصرف شده، پس گرفته شده یا منقضی است؛ از تیم خود دعوت تازه‌ای بخواهید.",
    conflict: "هم‌زمان چیز دیگری این را تغییر داد؛ لطفاً دوباره امتحان کنید.",
    session_busy: "هنوز در همین گفتگو در حال پاسخ دادنم؛ لطفاً کمی صبر کنید.",
    idempotency_mismatch: ours,
    context_too_long:
      "گفتگو برای این مدل بیش از حد بلند است؛ برای شروع گفتگوی تازه /new را بفرستید.",
    content_filter: "این با قواعد محتوای تیم شما سازگار نیست؛ لطفاً طور دیگری بگویید.",
    rate_limit_exceeded: "به سقف تعداد درخواست‌ها رسیده‌اید؛ لطفاً کمی بعد دوباره امتحان کنید.",
    insufficient_quota: "بودجهٔ پاسخ‌ها تمام شده است؛ مدیر تیم می‌تواند آن را افزایش دهد.",
    provider_error: modelTrouble,
    provider_unreachable: modelTrouble,
    provider_misconfigured: notConfigured,
    provider_timeout: "پاسخ مدل بیش از حد طول کشید؛ لطفاً دوباره امتحان کنید.",
    provider_overloaded: "مدل شلوغ است؛ لطفاً کمی بعد دوباره امتحان کنید.",
    provider_rate_limited: "درخواست‌های مدل بیش از حد است؛ لطفاً کمی بعد دوباره امتحان کنید.",
    stream_cut: "پاسخ اینجا قطع شد؛ لطفاً دوباره امتحان کنید.",
    client_closed: ours,
    unavailable: "سرویس الان در دسترس نیست؛ لطفاً کمی بعد دوباره امتحان کنید.",
    misconfigured: notConfigured,
    internal_error: ours,
  },
  requestId: ({ id }) => `شناسهٔ درخواست: ${id}`,
  admin: {
    stats: ({ linked, groups, blocked, teams, version }) =>
      `گفتگوهای پیوندخورده: ${linked}\nگروه‌ها: ${groups}\nدسترس‌ناپذیر: ${blocked}\nتیم‌ها: ${teams}\nنسخه: ${version}`,
    broadcastHow: "بفرستید: ‎/broadcast و پس از آن متنی که به همهٔ گفتگوهای پیوندخورده می‌رود.",
    broadcastStarted: "ارسال همگانی شروع شد؛ وقتی به همه رسید همین‌جا خبر می‌دهم.",
    broadcastDone: ({ handed, failed }) =>
      `ارسال همگانی تمام شد: ${handed} گفتگو، ${failed} ناموفق.`,
    broadcastTooLong: ({ most }) => `ارسال همگانی حداکثر ${most} نویسه می‌تواند باشد.`,
  },
};
