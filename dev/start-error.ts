/** Something that the user can mend; its message is all that they need to see. */
export class StartError extends Error {
  override readonly name = "StartError";
}
