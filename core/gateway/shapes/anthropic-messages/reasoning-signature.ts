/**
 * The signature of thinking that came by this gateway. Anthropic signs thinking so that it can be sent back unchanged;
 * ours only says that the model behind us wrote it, and may have it again. Thinking with another signature is another
 * service's, and is not passed on.
 */
export const REASONING_SIGNATURE = "switchyard";
