import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{schema,core,platform,workers,dev,test,bench}/**/*.test.ts"],
    globalSetup: ["test/harness/global-setup.ts"],
    // Two cores: more workers would only make each test slower.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    teardownTimeout: 60_000,
  },
});
