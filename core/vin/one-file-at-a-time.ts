import type { MakerFile } from "./maker-file.ts";
import type { VinPorts } from "./vin-ports.ts";

/** Files by their code, of which the last one is remembered: they are too large to hold fifty. */
export function oneFileAtATime({ makerFile }: Pick<VinPorts, "makerFile">): VinPorts["makerFile"] {
  let last: { code: string; file: MakerFile | null } | null = null;
  return async (code) => {
    if (last?.code === code) return last.file;
    const file = await makerFile(code);
    last = { code, file };
    return file;
  };
}
