import { z } from "zod";
import { inspectVin } from "../../vin/inspect-vin.ts";
import { LONGEST_VIN_TEXT, readVin } from "../../vin/read-vin.ts";
import { defineSkill } from "../skill.ts";
import { vinCard } from "./vin-card.ts";
import { encodeVin, vinShape } from "./vin-shape.ts";

const input = z.strictObject({
  vin: z
    .string()
    .min(1)
    .max(LONGEST_VIN_TEXT)
    .describe(
      "The vehicle identification number: 17 letters and digits; spaces and hyphens do not matter",
    ),
});

/** `vin.decode` */
export const decodeVinSkill = defineSkill({
  name: "vin.decode",
  title: "Read a VIN",
  summary:
    "Says which vehicle a vehicle identification number (VIN, chassis number) stands for: make, model, year, engine, plant, with a confidence and warnings. Use it whenever a VIN is given; never guess a vehicle from a VIN.",
  input,
  output: vinShape,
  example: { vin: "1HGCM82633A004352" },
  readOnly: true,
  recognise: (text) =>
    text.length <= LONGEST_VIN_TEXT && inspectVin(text).valid ? { vin: text.trim() } : null,
  async run(context, { vin }) {
    const { report, cached } = await readVin(context, context.ports.vin, { vin });
    return encodeVin(report, cached);
  },
  telegram: {
    command: "vin",
    usage: {
      en: "/vin 1HGCM82633A004352 – what a VIN says",
      de: "/vin 1HGCM82633A004352 – was eine Fahrgestellnummer sagt",
      fa: "/vin 1HGCM82633A004352 – شمارهٔ شناسایی خودرو چه می‌گوید",
    },
    parse: (text) => (text.trim() === "" ? null : { vin: text.trim().slice(0, LONGEST_VIN_TEXT) }),
    render: vinCard,
  },
});
