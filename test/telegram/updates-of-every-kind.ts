/**
 * One update of every kind that the Bot API knows, every kind of message among them, and odd shapes of the sort that
 * old clients, odd libraries and future versions produce. Made by hand; nobody's data.
 */
export interface KnownUpdate {
  name: string;
  update: Record<string, unknown>;
  /** Whether a chat's object takes it or it goes nowhere. */
  goes: "chat" | "nowhere";
  /** Whether a linked private chat gets an answer. */
  answered: boolean;
}

const user = { id: 880_001, is_bot: false, first_name: "Mina", language_code: "en" };
const chat = { id: 880_001, type: "private", first_name: "Mina" };
const group = { id: -990_001, type: "group", title: "Garden" };
const channel = { id: -1_000_000_990_002, type: "channel", title: "News" };
const file = { file_id: "AgADx", file_unique_id: "ux", file_size: 10 };
const photo = [{ ...file, width: 90, height: 60 }];
const base = { message_id: 51, date: 1_790_000_000, chat, from: user };

const message = (
  name: string,
  content: Record<string, unknown>,
  answered: boolean,
): KnownUpdate => ({
  name: `a message with ${name}`,
  update: { message: { ...base, ...content } },
  goes: "chat",
  answered,
});
const service = (name: string, content: Record<string, unknown>): KnownUpdate =>
  message(name, content, false);
const ignored = (name: string, body: unknown): KnownUpdate => ({
  name,
  update: { [name]: body },
  goes: "nowhere",
  answered: false,
});

const poll = {
  id: "1",
  question: "?",
  options: [{ text: "a", voter_count: 0 }],
  total_voter_count: 0,
  is_closed: false,
  is_anonymous: true,
  type: "regular",
  allows_multiple_answers: false,
};
const location = { latitude: 35.7, longitude: 51.4 };
const business = { ...base, business_connection_id: "bc1" };

export const UPDATES_OF_EVERY_KIND: KnownUpdate[] = [
  message("text", { text: "hello" }, true),
  message(
    "text and every older kind of content at once",
    {
      text: "Bold",
      entities: [{ type: "bold", offset: 0, length: 4 }],
      audio: { ...file, duration: 1 },
      voice: { ...file, duration: 1 },
      document: file,
      forward_from: { id: 3, first_name: "Old" },
      forward_date: 1,
    },
    true,
  ),
  message(
    "text from a sender without is_bot and language",
    { text: "hello", from: { id: 880_001, first_name: "Mina" } },
    true,
  ),
  message(
    "entities that lie outside the text",
    {
      text: "hi",
      entities: [
        { type: "bot_command", offset: 50, length: 900 },
        { type: "mention", offset: -3, length: 2 },
      ],
    },
    true,
  ),
  message(
    "entities of a kind yet unknown",
    { text: "hi", entities: [{ type: "hologram", offset: 0, length: 2 }] },
    true,
  ),
  message("a voice note", { voice: { ...file, duration: 3 } }, true),
  message("audio", { audio: { ...file, duration: 3 } }, true),
  message("a video", { video: { ...file, width: 1, height: 1, duration: 1 } }, true),
  message("a video note", { video_note: { ...file, length: 1, duration: 1 } }, true),
  message(
    "an animation and its document",
    { animation: { ...file, width: 1, height: 1, duration: 1 }, document: file },
    true,
  ),
  message("a document", { document: { ...file, file_name: "a.pdf" } }, true),
  message(
    "a sticker",
    {
      sticker: {
        ...file,
        type: "regular",
        width: 1,
        height: 1,
        is_animated: false,
        is_video: false,
      },
    },
    true,
  ),
  message("a contact", { contact: { phone_number: "1", first_name: "A" } }, true),
  message("a location", { location }, true),
  message(
    "a venue and its location",
    { venue: { location, title: "t", address: "a" }, location },
    true,
  ),
  message("a poll", { poll }, true),
  message("a dice", { dice: { emoji: "🎲", value: 3 } }, true),
  message("a game", { game: { title: "g", description: "d", photo } }, true),
  message("a story", { story: { chat: channel, id: 1 } }, true),
  message("paid media", { paid_media: { star_count: 1, paid_media: [] } }, true),
  message("a checklist", { checklist: { title: "c", tasks: [] } }, true),
  service("content of a kind yet unknown", { hologram: { depth: 3 } }),
  service("nothing at all", {}),
  service("an empty photo", { photo: [] }),
  service("new members", { new_chat_members: [user] }),
  service("a member who left", { left_chat_member: user }),
  service("a new title", { new_chat_title: "x" }),
  service("a new photo", { new_chat_photo: photo }),
  service("a deleted photo", { delete_chat_photo: true }),
  service("a created group", { group_chat_created: true }),
  service("a created supergroup", { supergroup_chat_created: true }),
  service("a timer", { message_auto_delete_timer_changed: { message_auto_delete_time: 60 } }),
  service("a pinned message", { pinned_message: { message_id: 1, date: 0, chat } }),
  service("an invoice", {
    invoice: {
      title: "t",
      description: "d",
      start_parameter: "s",
      currency: "XTR",
      total_amount: 1,
    },
  }),
  service("a successful payment", {
    successful_payment: { currency: "XTR", total_amount: 1, invoice_payload: "p" },
  }),
  service("a refund", {
    refunded_payment: { currency: "XTR", total_amount: 1, invoice_payload: "p" },
  }),
  service("shared users", { users_shared: { request_id: 1, users: [] } }),
  service("a shared chat", { chat_shared: { request_id: 1, chat_id: 2 } }),
  service("a connected website", { connected_website: "example.com" }),
  service("write access", { write_access_allowed: { web_app_name: "w" } }),
  service("passport data", { passport_data: { data: [], credentials: {} } }),
  service("a proximity alert", {
    proximity_alert_triggered: { traveler: user, watcher: user, distance: 1 },
  }),
  service("a boost", { boost_added: { boost_count: 1 } }),
  service("a new background", { chat_background_set: { type: { type: "fill" } } }),
  service("a created topic", { forum_topic_created: { name: "t", icon_color: 1 } }),
  service("a closed topic", { forum_topic_closed: {} }),
  service("a giveaway", {
    giveaway: { chats: [channel], winners_selection_date: 1, winner_count: 1 },
  }),
  service("a video chat", { video_chat_started: {} }),
  service("data of a web app", { web_app_data: { data: "x", button_text: "y" } }),
  service("a gift", { gift: { gift: { id: "g", sticker: file, star_count: 1 } } }),
  ignored("edited_message", { ...base, edit_date: 1_790_000_001, text: "changed" }),
  ignored("channel_post", { ...base, chat: channel, text: "news" }),
  ignored("edited_channel_post", { ...base, chat: channel, edit_date: 1, text: "news" }),
  ignored("business_connection", {
    id: "bc1",
    user,
    user_chat_id: 880_001,
    date: 1,
    is_enabled: true,
  }),
  ignored("business_message", business),
  ignored("edited_business_message", { ...business, edit_date: 2 }),
  ignored("deleted_business_messages", {
    business_connection_id: "bc1",
    chat,
    message_ids: [1, 2],
  }),
  ignored("guest_message", { ...base, text: "hi", guest_query_id: "g" }),
  ignored("message_reaction", {
    chat,
    message_id: 1,
    user,
    date: 1,
    old_reaction: [],
    new_reaction: [{ type: "emoji", emoji: "👍" }],
  }),
  ignored("message_reaction_count", { chat: group, message_id: 1, date: 1, reactions: [] }),
  ignored("inline_query", {
    id: "q",
    from: { ...user, type: "private" },
    query: "x",
    offset: "",
    location,
  }),
  ignored("chosen_inline_result", {
    result_id: "r",
    from: user,
    query: "x",
    inline_message_id: "i",
  }),
  {
    name: "a callback of an old message",
    update: {
      callback_query: {
        id: "c1",
        from: user,
        chat_instance: "i",
        data: "none",
        message: { message_id: 3, date: 0, chat },
      },
    },
    goes: "chat",
    answered: false,
  },
  {
    name: "a callback of an inline message",
    update: {
      callback_query: { id: "c2", from: user, chat_instance: "i", inline_message_id: "i" },
    },
    goes: "chat",
    answered: false,
  },
  {
    name: "a callback of a game",
    update: {
      callback_query: {
        id: "c3",
        from: user,
        chat_instance: "i",
        game_short_name: "g",
        message: base,
      },
    },
    goes: "chat",
    answered: false,
  },
  ignored("shipping_query", { id: "s", from: user, invoice_payload: "p", shipping_address: {} }),
  ignored("pre_checkout_query", {
    id: "p",
    from: user,
    currency: "XTR",
    total_amount: 1,
    invoice_payload: "p",
  }),
  ignored("purchased_paid_media", { from: user, paid_media_payload: "p" }),
  ignored("poll", poll),
  ignored("poll_answer", { poll_id: "1", user, option_ids: [0] }),
  {
    name: "the bot's own membership",
    update: {
      my_chat_member: {
        chat: group,
        from: user,
        date: 1,
        old_chat_member: { user, status: "left" },
        new_chat_member: { user, status: "member" },
      },
    },
    goes: "chat",
    answered: false,
  },
  ignored("chat_member", {
    chat: group,
    from: user,
    date: 1,
    old_chat_member: { user, status: "left" },
    new_chat_member: { user, status: "member" },
  }),
  ignored("chat_join_request", { chat: group, from: user, user_chat_id: 1, date: 1 }),
  ignored("chat_boost", {
    chat: channel,
    boost: { boost_id: "b", add_date: 1, expiration_date: 2, source: { source: "premium", user } },
  }),
  ignored("removed_chat_boost", {
    chat: channel,
    boost_id: "b",
    remove_date: 1,
    source: { source: "premium", user },
  }),
  ignored("managed_bot", { user, bot: { ...user, is_bot: true } }),
  ignored("subscription", { user }),
  ignored("stopped_message_generation", { chat, draft_id: 1 }),
  ignored("a_kind_of_the_future", { chat, anything: true }),
  { name: "nothing but an id", update: {}, goes: "nowhere", answered: false },
  {
    name: "a message that is a text",
    update: { message: "hello" },
    goes: "nowhere",
    answered: false,
  },
  {
    name: "a message without a chat",
    update: { message: { message_id: 1, date: 1, text: "hi" } },
    goes: "nowhere",
    answered: false,
  },
  {
    name: "a message in a chat with a text id",
    update: { message: { ...base, chat: { id: "880001", type: "private" } } },
    goes: "nowhere",
    answered: false,
  },
  {
    name: "a message of a channel",
    update: { message: { ...base, chat: channel, text: "hi" } },
    goes: "nowhere",
    answered: false,
  },
  {
    name: "several kinds at once",
    update: {
      message: { ...base, message_id: 52, text: "hello" },
      edited_message: { ...base, text: "changed" },
      inline_query: { id: "q", from: user, query: "", offset: "" },
    },
    goes: "chat",
    answered: true,
  },
];
