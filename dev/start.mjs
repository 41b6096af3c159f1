// `npm start`: installs what is missing, then hands over to start.ts on the project's own Node.
import { fileURLToPath } from "node:url";
import { checkNodeVersion, ensureInstalled, projectNode, runScript } from "./bootstrap.mjs";

checkNodeVersion();
await ensureInstalled();
const start = fileURLToPath(new URL("start.ts", import.meta.url));
process.exitCode = await runScript(await projectNode(), [start, ...process.argv.slice(2)]);
