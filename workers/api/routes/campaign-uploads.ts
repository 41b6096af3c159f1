import {
  importCampaignData,
  importInput,
  importOptions,
} from "#core/campaigns/import/import-type.ts";
import { AppError } from "#core/kernel/errors.ts";
import { requireScope } from "#core/kernel/principal.ts";
import { validationError } from "#core/kernel/validation-error.ts";
import { reachUpload, requireComplete } from "#core/uploads/upload.ts";
import type { AppContext } from "../app-types.ts";
import {
  fileContents,
  fileJobAnswer,
  type FileJobAnswer,
  jsonInPlaceOfFile,
  makeFileJob,
  makeJobOfFile,
} from "../file-job.ts";
import { idempotent } from "../middleware/idempotent.ts";
import {
  createRoute,
  createRouter,
  idempotencyHeader,
  jsonResponse,
  problemResponses,
  security,
  teamHeader,
  type z,
} from "../openapi.ts";
import { receiveFile } from "../receive-file.ts";

const contract = createRoute({
  method: "post",
  path: "/v1/campaigns/uploads",
  tags: ["Campaigns"],
  summary: "Import a file of advertising data",
  description:
    "Needs the scope `jobs`. The file is the field `file` of a form, or the whole body, up to 95 MiB; a larger one is sent by POST /v1/uploads in parts, and named here by its `upload_id` as JSON. The options of the JSON may come as fields of the form or of the query, `mapping` as JSON. The job is of the type `import_campaign_data`; see docs/campaigns-upload.md.",
  security,
  request: {
    headers: idempotencyHeader.extend(teamHeader.shape),
    body: {
      content: {
        "application/json": {
          schema: importInput,
          example: { upload_id: "upl_01kahv7m3n8q4r6s9t2w5x0yzc" },
        },
        ...fileContents,
      },
    },
  },
  responses: {
    202: jsonResponse("The job, which goes on", fileJobAnswer),
    ...problemResponses,
  },
});

export const campaignUploadRoutes = createRouter().openapi(contract, async (c) => {
  requireScope(c.get("context").principal, "jobs");
  const named = await jsonInPlaceOfFile(c);
  return c.json(named ? await importUpload(c, named.json) : await importFile(c), 202);
});

/** Imports a file that was sent before. */
async function importUpload(c: AppContext, json: unknown): Promise<FileJobAnswer> {
  const parsed = importInput.safeParse(json);
  if (!parsed.success) throw validationError(parsed.error);
  const { body } = await idempotent(c, async (context) => {
    requireComplete(await reachUpload(context, parsed.data.upload_id));
    return makeFileJob(c, context, { type: importCampaignData, input: parsed.data });
  });
  return body;
}

/** Imports the file that the request brings. */
async function importFile(c: AppContext): Promise<FileJobAnswer> {
  const received = await receiveFile(c);
  const optionsOf = () => readOptions(received.fields);
  return makeJobOfFile(c, received, { type: importCampaignData, optionsOf });
}

function readOptions(fields: Record<string, string>): z.output<typeof importOptions> {
  const { mapping, ...texts } = fields;
  const parsed = importOptions.safeParse(
    mapping === undefined ? texts : { ...texts, mapping: readMapping(mapping) },
  );
  if (!parsed.success) throw validationError(parsed.error);
  return parsed.data;
}

function readMapping(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError("validation_failed", {
      message: 'mapping: must be JSON, such as {"spend": "Media cost"}.',
      fields: [{ path: "mapping", message: "must be JSON" }],
      cause,
    });
  }
}
