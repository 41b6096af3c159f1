/** The parts of BullMQ 6.7.0 and ioredis 5.11.1 that the bench uses. They are not installed for `npm run check`. */
declare module "bullmq" {
  import type { Redis } from "ioredis";

  export interface BullJob<Data> {
    id: string;
    data: Data;
    log(line: string): Promise<number>;
    updateProgress(progress: object): Promise<void>;
  }

  export class Queue {
    constructor(name: string, options: { connection: Redis });
    add(name: string, data: object): Promise<unknown>;
    getCompletedCount(): Promise<number>;
    /** Removes the queue and all its jobs. */
    obliterate(options: { force: boolean }): Promise<void>;
    close(): Promise<void>;
  }

  export class Worker<Data, Result> {
    constructor(
      name: string,
      work: (job: BullJob<Data>) => Promise<Result>,
      options: { connection: Redis; concurrency: number; autorun: boolean },
    );
    on(event: "completed", listener: (job: unknown) => void): this;
    on(event: "failed", listener: (job: unknown, error: Error) => void): this;
    on(event: "error", listener: (error: Error) => void): this;
    /** Settles when the worker has been closed. */
    run(): Promise<void>;
    close(): Promise<void>;
  }
}

declare module "ioredis" {
  export class Redis {
    constructor(url: string, options: { maxRetriesPerRequest: null; retryStrategy: () => null });
    info(section: string): Promise<string>;
    config(command: "GET", key: string): Promise<string[]>;
    disconnect(): void;
  }
}
