// `npm test`: installs what is missing, builds the three Workers and runs all tests on the project's own Node.
// The last line is `N passed, N failed`, with `, N skipped` where any are. `npm test -- core/keys` runs some of them.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  checkNodeVersion,
  ensureInstalled,
  projectNode,
  root,
  runScript,
} from "../dev/bootstrap.mjs";

/** Counts from vitest's JSON report. A file that could not even be loaded is one failure. */
function count(report) {
  const found = {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests + report.numTodoTests,
  };
  for (const file of report.testResults) {
    const hasFailedTest = file.assertionResults.some((test) => test.status === "failed");
    if (file.status === "failed" && !hasFailedTest) found.failed += 1;
  }
  return found;
}

/** Runs vitest and counts. Whatever went wrong beside the tests (a crash, an error that no test caught) is a failure. */
async function runTests(node, args) {
  const folder = mkdtempSync(path.join(tmpdir(), "switchyard-test-report-"));
  const file = path.join(folder, "report.json");
  try {
    const vitest = path.join(root, "node_modules", "vitest", "vitest.mjs");
    const code = await runScript(node, [
      vitest,
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${file}`,
      ...args,
    ]);
    const found = count(JSON.parse(readFileSync(file, "utf8")));
    if (code !== 0 && found.failed === 0) found.failed = 1;
    if (found.passed + found.failed === 0) {
      console.error("No test was run.");
      found.failed = 1;
    }
    return found;
  } catch (error) {
    console.error(`The tests did not run to their end: ${error.message}`);
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

checkNodeVersion();
await ensureInstalled();
const node = await projectNode();
const built = await runScript(node, [path.join(root, "scripts", "build.mjs")]);
const { passed, failed, skipped } =
  built === 0 ? await runTests(node, process.argv.slice(2)) : { passed: 0, failed: 1, skipped: 0 };
if (built !== 0) console.error("The Workers do not build, so no test was run.");
process.exitCode = failed === 0 ? 0 : 1;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
