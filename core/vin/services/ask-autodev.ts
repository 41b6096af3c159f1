import { z } from "zod";
import { ELEMENT } from "../maker-file.ts";
import { OWN_ELEMENT } from "../element-names.ts";
import { fetchServiceJson, OTHER_FORM } from "./fetch-service-json.ts";
import type { ServiceAnswer, ServiceFacts, ServiceFailure, ServiceReach } from "./service-facts.ts";

export type AutodevReach = ServiceReach & { apiKey: string };

/** How many questions are under way at once; the platform allows six connections to a request. */
const AT_ONCE = 4;
/** After so many failures the rest is not asked any more. */
const MOST_FAILURES = 3;
const LIMIT = 256 * 1024;
const LONGEST_VALUE = 300;

/** Empty texts and what is no text count as not said: the service leaves out and changes fields as it likes. */
const text = z
  .string()
  .transform((value) => value.trim().slice(0, LONGEST_VALUE) || null)
  .nullish()
  .catch(null);

const answerSchema = z.object({
  vin: z.string(),
  vinValid: z.boolean(),
  checksum: z.boolean().nullish().catch(null),
  /** Several vehicles have VINs like this one. */
  ambiguous: z.boolean().nullish().catch(null),
  make: text,
  model: text,
  trim: text,
  style: text,
  body: text,
  engine: text,
  drive: text,
  transmission: text,
  fuel: text,
  vehicle: z
    .object({
      /** A list where the VIN fits vehicles of several years. */
      year: z
        .union([z.number().int(), z.array(z.number().int())])
        .nullish()
        .catch(null),
      make: text,
      model: text,
      manufacturer: text,
    })
    .nullish()
    .catch(null),
});
type Answer = z.output<typeof answerSchema>;

/**
 * Asks auto.dev, `GET /vin/{vin}`, for each VIN by itself.
 * @param reach its apiKey goes into the header `authorization` and nowhere else
 * @param vins in their plain form
 */
export async function askAutodev(
  reach: AutodevReach,
  vins: readonly string[],
): Promise<ServiceAnswer> {
  const facts = new Map<string, ServiceFacts>();
  const unanswered: string[] = [];
  const failures: ServiceFailure[] = [];
  const waiting = [...vins];
  const work = async () => {
    for (let vin = waiting.shift(); vin !== undefined; vin = waiting.shift()) {
      // What several questions ran into the others would run into as well, and each would wait for it.
      const answer = failures.length < MOST_FAILURES ? await askOne(reach, vin) : "not asked";
      if (answer === null) continue;
      if (typeof answer === "object" && "service" in answer) facts.set(vin, answer);
      else unanswered.push(vin);
      if (typeof answer === "object" && "message" in answer) failures.push(answer);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { facts, unanswered, failure: failures[0] ?? null };
}

async function askOne(
  reach: AutodevReach,
  vin: string,
): Promise<ServiceFacts | ServiceFailure | null> {
  const answer = await fetchServiceJson(reach, {
    url: `${reach.baseUrl}/vin/${vin}`,
    init: { headers: { authorization: `Bearer ${reach.apiKey}`, accept: "application/json" } },
    limit: LIMIT,
  });
  if ("message" in answer) return answer;
  if ("nothing" in answer) return null;
  const parsed = answerSchema.safeParse(answer.json);
  if (!parsed.success || parsed.data.vin.toUpperCase() !== vin) return OTHER_FORM;
  return parsed.data.vinValid ? readAnswer(parsed.data) : null;
}

function readAnswer(answer: Answer): ServiceFacts {
  const { vehicle } = answer;
  const years = [vehicle?.year ?? []].flat();
  const values = new Map<number, string>();
  const say = (element: number, value: string | null | undefined) => {
    if (value !== null && value !== undefined) values.set(element, value);
  };
  say(ELEMENT.trim, answer.trim);
  say(ELEMENT.bodyClass, answer.body);
  say(ELEMENT.driveType, answer.drive);
  say(ELEMENT.fuelPrimary, answer.fuel);
  say(ELEMENT.transmission, answer.transmission);
  say(OWN_ELEMENT.engine, answer.engine);
  say(OWN_ELEMENT.style, answer.style);
  const ambiguous = answer.ambiguous === true || years.length > 1;
  return {
    service: "autodev",
    manufacturer: vehicle?.manufacturer ?? null,
    make: answer.make ?? vehicle?.make ?? null,
    model: answer.model ?? vehicle?.model ?? null,
    year: years.length === 1 ? (years[0] ?? null) : null,
    type: null, // its `type` is that of the listing as often as that of the vehicle
    values,
    sure: !ambiguous && answer.checksum !== false,
    ambiguous,
  };
}
