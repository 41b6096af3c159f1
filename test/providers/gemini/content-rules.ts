import { type Fields, fields, list, only, Refused } from "../expectations.ts";

interface Content {
  role: string;
  parts: Fields[];
}

const DATA = ["text", "inlineData", "fileData", "functionCall", "functionResponse"];
/** Stands for a signature that was lost, https://ai.google.dev/gemini-api/docs/thought-signatures */
const STAND_INS = ["skip_thought_signature_validator", "context_engineering_is_the_way_to_go"];
const MEDIA =
  /^(image\/(png|jpeg|webp|heic|heif|gif)|audio\/\w+|video\/\w+|application\/pdf|text\/\w+)$/;

/**
 * Refuses contents that the Gemini API refuses.
 * @throws Refused
 */
export function checkContents(
  value: unknown,
  rules: { before3: boolean; issued: ReadonlySet<string> },
): void {
  const values = list(value ?? [], "contents must be a list");
  if (values.length === 0)
    throw new Refused("* GenerateContentRequest.contents: contents is not specified");
  const contents = values.map(readContent);
  contents.forEach((content, index) => {
    const before = contents[index - 1];
    checkCalls(content, before);
    checkResponses(content, before);
  });
  if (!rules.before3) checkSignatures(contents, rules.issued);
}

function readContent(value: unknown, index: number): Content {
  const content = fields(value, `Invalid value at 'contents[${index}]'`);
  only(content, ["role", "parts"], (name) => unknownAt(name, `contents[${index}]`));
  const role = String(content["role"]);
  if (role !== "user" && role !== "model")
    throw new Refused("Please use a valid role: user, model.");
  const parts = list(content["parts"] ?? [], "parts must be a list").map((part) =>
    fields(part, "part"),
  );
  if (parts.length === 0)
    throw new Refused(
      `* GenerateContentRequest.contents[${index}].parts: contents.parts must not be empty.`,
    );
  parts.forEach((part, place) => checkPart(part, `contents[${index}].parts[${place}]`));
  return { role, parts };
}

const unknownAt = (name: string, path: string) =>
  `Invalid JSON payload received. Unknown name "${name}" at '${path}': Cannot find field.`;

function checkPart(part: Fields, path: string): void {
  only(part, [...DATA, "thought", "thoughtSignature"], (name) => unknownAt(name, path));
  if (DATA.filter((name) => part[name] !== undefined).length !== 1)
    throw new Refused(
      `* GenerateContentRequest.${path}.data: required oneof field 'data' must have one initialized field`,
    );
  const { inlineData, fileData, functionCall, functionResponse } = part;
  if (inlineData) {
    const { mimeType, data } = fields(inlineData, path);
    if (!MEDIA.test(String(mimeType)))
      throw new Refused(`Unsupported MIME type: ${String(mimeType)}`);
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(String(data)))
      throw new Refused(
        `Invalid value at '${path}.inline_data.data' (TYPE_BYTES), Base64 decoding failed`,
      );
  }
  if (fileData && !String(fields(fileData, path)["fileUri"]).startsWith("https://"))
    throw new Refused("Invalid or unsupported file uri.");
  if (functionCall) {
    only(fields(functionCall, path), ["id", "name", "args"], (name) =>
      unknownAt(name, `${path}.function_call`),
    );
    fields(
      fields(functionCall, path)["args"] ?? {},
      `Invalid value at '${path}.function_call.args'`,
    );
  }
  if (functionResponse) {
    const response = fields(functionResponse, path);
    only(response, ["id", "name", "response"], (name) =>
      unknownAt(name, `${path}.function_response`),
    );
    if (!response["name"])
      throw new Refused(
        `* GenerateContentRequest.${path}.function_response.name: Name cannot be empty.`,
      );
    fields(
      response["response"],
      `Invalid value at '${path}.function_response.response' (type.googleapis.com/google.protobuf.Struct)`,
    );
  }
}

const callsIn = ({ parts }: Content) =>
  parts.flatMap(({ functionCall }) => (functionCall ? [fields(functionCall, "call")] : []));
const responsesIn = ({ parts }: Content) =>
  parts.flatMap(({ functionResponse }) =>
    functionResponse ? [fields(functionResponse, "response")] : [],
  );

function checkCalls(content: Content, before: Content | undefined): void {
  if (callsIn(content).length > 0 && before?.role !== "user")
    throw new Refused(
      "Please ensure that function call turn comes immediately after a user turn or after a function response turn.",
    );
}

function checkResponses(content: Content, before: Content | undefined): void {
  const responses = responsesIn(content);
  const calls = before ? callsIn(before) : [];
  if (responses.length > 0 && calls.length === 0)
    throw new Refused(
      "Please ensure that function response turn comes immediately after a function call turn.",
    );
  if (responses.length !== calls.length)
    throw new Refused(
      "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.",
    );
  for (const response of responses)
    if (
      !calls.some(
        ({ id, name }) =>
          name === response["name"] &&
          (id === undefined || response["id"] === undefined || id === response["id"]),
      )
    )
      throw new Refused(
        `Function response of ${String(response["name"])} matches no function call.`,
      );
}

/** From Gemini 3 on, the first call of each step of the present turn must have its signature. */
function checkSignatures(contents: Content[], issued: ReadonlySet<string>): void {
  const turn = contents.findLastIndex(
    (content) => content.role === "user" && responsesIn(content).length === 0,
  );
  contents.forEach(({ role, parts }, position) => {
    const signed = parts.filter(({ thoughtSignature }) => thoughtSignature !== undefined);
    for (const { thoughtSignature } of signed)
      if (!issued.has(String(thoughtSignature)) && !STAND_INS.includes(String(thoughtSignature)))
        throw new Refused("Thought signature is not valid.");
    const first = parts.find(({ functionCall }) => functionCall);
    if (position <= turn || role !== "model" || !first || first["thoughtSignature"] !== undefined)
      return;
    throw new Refused(
      `Function call is missing a thought_signature in functionCall parts. Additional data, function call \`default_api:${String(fields(first["functionCall"], "call")["name"])}\`, position ${position}.`,
    );
  });
}
