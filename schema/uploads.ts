import { bigint, index, integer, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { createdAt, moment } from "./columns.ts";
import { teams } from "./teams.ts";

/** A file that a team has sent or is sending; its bytes are in R2 under `<team>/uploads/<id>`. */
export const uploads = pgTable(
  "uploads",
  {
    id: text("id").primaryKey(),
    teamId: text("team_id")
      .notNull()
      .references(() => teams.id, { onDelete: "cascade" }),
    /** As its sender calls it; shown, never part of a key. */
    name: text("name").notNull(),
    contentType: text("content_type").notNull(),
    /** In bytes: as announced, then as stored. Null while a file of unsaid length is coming. */
    size: bigint("size", { mode: "number" }),
    /** `open`: it is coming. `complete`: it is there as a whole. */
    state: text("state", { enum: ["open", "complete"] }).notNull(),
    /** Bytes of each part but the last; null for a file that comes in one request. */
    partSize: integer("part_size"),
    /** The store's own id of a file that comes in parts. */
    partsId: text("parts_id"),
    /** Of the whole file, as the store says it. */
    etag: text("etag"),
    createdBy: text("created_by").notNull(),
    createdAt: createdAt(),
    completedAt: moment("completed_at"),
    /** When the file goes, with this row. */
    expiresAt: moment("expires_at").notNull(),
  },
  (table) => [
    index("uploads_team_index").on(table.teamId, table.id),
    index("uploads_expires_index").on(table.expiresAt),
  ],
);

/** The parts of an upload that have come. A part that comes again replaces its row. */
export const uploadParts = pgTable(
  "upload_parts",
  {
    uploadId: text("upload_id")
      .notNull()
      .references(() => uploads.id, { onDelete: "cascade" }),
    /** From 1. */
    number: integer("number").notNull(),
    /** In bytes. */
    size: integer("size").notNull(),
    etag: text("etag").notNull(),
    storedAt: moment("stored_at").notNull().defaultNow(),
  },
  (table) => [primaryKey({ name: "upload_parts_pkey", columns: [table.uploadId, table.number] })],
);
