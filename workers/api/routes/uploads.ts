import { completeUpload } from "#core/uploads/complete-upload.ts";
import { createUpload, createUploadInput } from "#core/uploads/create-upload.ts";
import { deleteUpload } from "#core/uploads/delete-upload.ts";
import { getUpload, type UploadDetails } from "#core/uploads/get-upload.ts";
import { putPart } from "#core/uploads/put-part.ts";
import type { Upload } from "#core/uploads/upload.ts";
import { receivedBody } from "../file-bodies.ts";
import { idempotent } from "../middleware/idempotent.ts";
import {
  createRoute,
  createRouter,
  idempotencyHeader,
  jsonBody,
  jsonResponse,
  noContent,
  problemResponses,
  security,
  teamHeader,
  z,
} from "../openapi.ts";

const common = { tags: ["Uploads"], security };
const idParam = z.object({ id: z.string().max(100) });

const uploadSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    content_type: z.string(),
    size: z.number().int().nullable().openapi({ description: "Bytes" }),
    state: z.enum(["open", "complete"]),
    part_size: z.number().int().nullable().openapi({
      description: "Bytes of each part but the last; null for a file that came in one request",
    }),
    created_at: z.string(),
    completed_at: z.string().nullable(),
    expires_at: z.string().openapi({ description: "When the file goes" }),
  })
  .openapi("Upload");

const encodeUpload = (upload: Upload): z.infer<typeof uploadSchema> => ({
  id: upload.id,
  name: upload.name,
  content_type: upload.contentType,
  size: upload.size,
  state: upload.state,
  part_size: upload.partSize,
  created_at: upload.createdAt.toISOString(),
  completed_at: upload.completedAt?.toISOString() ?? null,
  expires_at: upload.expiresAt.toISOString(),
});

const partSchema = z.object({ number: z.number().int(), size: z.number().int() });
const detailsSchema = uploadSchema.extend({ parts: z.array(partSchema) });

const encodeDetails = (upload: UploadDetails): z.infer<typeof detailsSchema> => ({
  ...encodeUpload(upload),
  parts: upload.parts,
});

const createContract = createRoute({
  ...common,
  method: "post",
  path: "/v1/uploads",
  summary: "Begin a file that comes in parts",
  description:
    "Needs the scope `jobs`. For files above 95 MiB, up to 1 GiB. One that is not complete after a day goes.",
  request: {
    headers: idempotencyHeader.extend(teamHeader.shape),
    ...jsonBody(createUploadInput, {
      name: "november.csv",
      size: 250_000_000,
      content_type: "text/csv",
    }),
  },
  responses: {
    201: jsonResponse(
      "Send the parts",
      z.object({ upload_id: z.string(), part_size: z.number().int(), expires_at: z.string() }),
    ),
    ...problemResponses,
  },
});

const getContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/uploads/{id}",
  summary: "See an upload, and which of its parts have come",
  description: "Needs the scope `jobs`.",
  request: { params: idParam, headers: teamHeader },
  responses: { 200: jsonResponse("The upload", detailsSchema), ...problemResponses },
});

const partContract = createRoute({
  ...common,
  method: "put",
  path: "/v1/uploads/{id}/parts/{n}",
  summary: "Send a part",
  description:
    "Needs the scope `jobs`. The body is the part's bytes: `part_size` of them, the last part the rest. Parts may come in any order, several at once, and again: the last one counts.",
  request: {
    params: idParam.extend({
      n: z.coerce.number().int().openapi({ description: "From 1", example: 1 }),
    }),
    headers: teamHeader,
    body: {
      content: { "application/octet-stream": { schema: { type: "string", format: "binary" } } },
    },
  },
  responses: { 200: jsonResponse("It is stored", partSchema), ...problemResponses },
});

const completeContract = createRoute({
  ...common,
  method: "post",
  path: "/v1/uploads/{id}/complete",
  summary: "Make one file of the parts",
  description:
    "Needs the scope `jobs`. Missing parts are named in the answer (409). Doing it again gives the same. The file is kept for 30 days.",
  request: { params: idParam, headers: teamHeader },
  responses: { 200: jsonResponse("The upload", uploadSchema), ...problemResponses },
});

const deleteContract = createRoute({
  ...common,
  method: "delete",
  path: "/v1/uploads/{id}",
  summary: "Delete an upload, finished or not",
  description: "Needs the scope `jobs`. What a job has made of it stays.",
  request: { params: idParam, headers: teamHeader },
  responses: { 204: noContent("It is gone"), ...problemResponses },
});

export const uploadRoutes = createRouter()
  .openapi(createContract, async (c) => {
    const { files } = c.get("deps");
    const { body } = await idempotent(c, async (context) => {
      const upload = await createUpload(context, { files }, c.req.valid("json"));
      const { id, partSize, expiresAt } = upload;
      return {
        status: 201,
        body: {
          upload_id: id,
          part_size: partSize ?? 0,
          expires_at: expiresAt.toISOString(),
        },
      };
    });
    return c.json(body, 201);
  })
  .openapi(getContract, async (c) =>
    c.json(encodeDetails(await getUpload(c.get("context"), c.req.valid("param").id)), 200),
  )
  .openapi(partContract, async (c) => {
    const { id, n } = c.req.valid("param");
    const input = { uploadId: id, number: n, body: receivedBody(c) };
    return c.json(await putPart(c.get("context"), c.get("deps"), input), 200);
  })
  .openapi(completeContract, async (c) => {
    const { id } = c.req.valid("param");
    const upload = await completeUpload(c.get("context"), c.get("deps"), id);
    return c.json(encodeUpload(upload), 200);
  })
  .openapi(deleteContract, async (c) => {
    await deleteUpload(c.get("context"), c.get("deps"), c.req.valid("param").id);
    return c.body(null, 204);
  });
