/**
 * The text of an answer from outside, read no further than it may be.
 * @param limit in bytes, after decompression
 * @returns null where there is more
 */
export async function boundedText(response: Response, limit: number): Promise<string | null> {
  const { headers } = response;
  // The length of a compressed body says nothing about what it unpacks to.
  const size = headers.has("content-encoding") ? null : headers.get("content-length");
  if (size !== null && Number(size) <= limit) return response.text();
  const reader = response.body?.getReader();
  if (!reader) return "";
  const decoder = new TextDecoder();
  let [text, bytes] = ["", 0];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > limit) {
      await reader.cancel();
      return null;
    }
    text += decoder.decode(value, { stream: true });
  }
}
