import {
  importCampaignData,
  importInput,
  importOptions,
} from "#core/campaigns/import/import-type.ts";
import { createJob } from "#core/jobs/create-job.ts";
import { AppError } from "#core/kernel/errors.ts";
import { requireScope } from "#core/kernel/principal.ts";
import type { TransactionContext } from "#core/kernel/context.ts";
import { validationError } from "#core/kernel/validation-error.ts";
import { markComplete } from "#core/uploads/complete-upload.ts";
import { deleteUpload } from "#core/uploads/delete-upload.ts";
import { reachUpload, requireComplete } from "#core/uploads/upload.ts";
import type { AppContext } from "../app-types.ts";
import { encodeNewJob, jobSchema } from "../job-shape.ts";
import { type Created, idempotent } from "../middleware/idempotent.ts";
import {
  createRoute,
  createRouter,
  idempotencyHeader,
  jsonResponse,
  problemResponses,
  security,
  teamHeader,
  z,
} from "../openapi.ts";
import { receiveFile } from "../receive-file.ts";

const answerSchema = z.object({ upload_id: z.string(), job: jobSchema });
type Answer = z.infer<typeof answerSchema>;

const binary = { schema: { type: "string" as const, format: "binary" } }; // else its type would be any text

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
        "multipart/form-data": {
          schema: {
            type: "object",
            required: ["file"],
            properties: { file: { type: "string", format: "binary" } },
          },
        },
        "text/csv": binary,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": binary,
        "application/octet-stream": binary,
      },
    },
  },
  responses: {
    202: jsonResponse("The job, which goes on", answerSchema),
    ...problemResponses,
  },
});

export const campaignUploadRoutes = createRouter().openapi(contract, async (c) => {
  requireScope(c.get("context").principal, "jobs");
  const isJson = /^application\/([\w.-]+\+)?json\b/i.test(c.req.header("content-type") ?? "");
  return c.json(isJson ? await importUpload(c) : await importFile(c), 202);
});

/** Imports a file that was sent before. */
async function importUpload(c: AppContext): Promise<Answer> {
  const parsed = importInput.safeParse(await c.req.json());
  if (!parsed.success) throw validationError(parsed.error);
  const { body } = await idempotent(c, async (context) => {
    requireComplete(await reachUpload(context, parsed.data.upload_id));
    return makeJob(c, context, parsed.data);
  });
  return body;
}

/** Imports the file that the request brings. */
async function importFile(c: AppContext): Promise<Answer> {
  const { upload, facts, fields } = await receiveFile(c);
  try {
    const options = readOptions(fields);
    const fingerprint = `${facts.etag} ${facts.size} ${JSON.stringify(options)}`;
    const { body } = await idempotent(
      c,
      async (context) => {
        await markComplete(context, upload.id, facts);
        return makeJob(c, context, { ...options, upload_id: upload.id });
      },
      fingerprint,
    );
    // The same request was answered before, with the file that came then.
    if (body.upload_id !== upload.id)
      await deleteUpload(c.get("context"), c.get("deps"), upload.id);
    return body;
  } catch (error) {
    await deleteUpload(c.get("context"), c.get("deps"), upload.id).catch(() => undefined); // it goes after a day
    throw error;
  }
}

async function makeJob(
  c: AppContext,
  context: TransactionContext,
  input: z.output<typeof importInput>,
): Promise<Created<Answer>> {
  const { job } = await createJob(context, c.get("deps").jobDesk, {
    type: importCampaignData,
    input,
  });
  return { status: 202, body: { upload_id: input.upload_id, job: encodeNewJob(job) } };
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
