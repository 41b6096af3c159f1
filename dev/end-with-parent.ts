import { spawn } from "node:child_process";

/** What to end, and how gently, when this process is gone. */
export interface EndWithParent {
  pid: number;
  /** Signals the whole process group of `pid`; it must be a group leader (spawned with `detached`). */
  group?: boolean;
  signal: "INT" | "TERM" | "KILL";
}

// The shell waits on its standard input, which is a pipe that only this process holds open. When this process
// ends, however it ends (kill -9 too), the kernel closes the pipe. A second, harder signal follows after 5 s.
const WAIT_THEN_KILL = `
cat > /dev/null
kill -s "$2" -- "$1" 2> /dev/null || exit 0
n=0
while [ $n -lt 50 ]; do kill -s 0 -- "$1" 2> /dev/null || exit 0; sleep 0.1; n=$((n + 1)); done
kill -s "$3" -- "$1" 2> /dev/null
`;

/**
 * Makes sure that another process does not outlive this one, even when this one is killed with kill -9 and no
 * handler of ours can run. On Windows there is no shell to do it, and nothing is watched.
 *
 * @returns a function that calls the watch off; call it once the process has ended, since its id may be used again.
 */
export function endWithParent({ pid, group = false, signal }: EndWithParent): () => void {
  if (process.platform === "win32") return () => undefined;
  const target = group ? `-${pid}` : String(pid);
  // QUIT makes postgres end at once; whatever else is left after 5 s is killed.
  const harder = signal === "INT" ? "QUIT" : "KILL";
  const watcher = spawn(
    "/bin/sh",
    ["-c", WAIT_THEN_KILL, "switchyard-watch", target, signal, harder],
    {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true, // its own group: Ctrl-C in the terminal must not end the watcher first
    },
  );
  watcher.unref();
  watcher.on("error", () => undefined);
  watcher.stdin.on("error", () => undefined);
  return () => {
    watcher.kill("SIGKILL");
  };
}
