import { Agent, request as httpRequest } from "node:http";
import { type LoadOptions, type LoadRequest, percentile, type RoundResult } from "./load.ts";

/**
 * Requests at even distances, whether or not the ones before were answered: one each millisecond at 1,000 a second.
 * Times are taken from when a request was due, so that one which had to wait counts with its wait.
 */
export async function steadyRound(
  request: LoadRequest,
  { connections, seconds, ratePerSecond }: LoadOptions & { ratePerSecond: number },
): Promise<RoundResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const times: number[] = [];
  const answers: Promise<void>[] = [];
  const beganAt = performance.now();
  const total = ratePerSecond * seconds;
  const dueAt = (index: number) => beganAt + (index * 1_000) / ratePerSecond;
  await new Promise<void>((resolve) => {
    const tick = () => {
      while (answers.length < total && performance.now() >= dueAt(answers.length)) {
        const due = dueAt(answers.length);
        answers.push(send(request, agent).then(() => void times.push(performance.now() - due)));
      }
      if (answers.length < total) setImmediate(tick);
      else resolve();
    };
    tick();
  });
  await Promise.all(answers);
  agent.destroy();
  const lasted = (performance.now() - beganAt) / 1_000;
  const sorted = Float64Array.from(times);
  return {
    rps: times.length / lasted,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    answered: times.length,
    cut: 0,
  };
}

function send({ url, headers, body, expect }: LoadRequest, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const length = String(Buffer.byteLength(body));
    const options = { method: "POST", agent, headers: { ...headers, "content-length": length } };
    const sent = httpRequest(url, options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      response.once("error", reject).once("end", () => {
        if (response.statusCode === 200 && text.includes(expect.contains)) resolve();
        else reject(new Error(`an answer was ${response.statusCode}: ${text.slice(0, 500)}`));
      });
    });
    sent.once("error", reject).end(body);
  });
}
