import type { ServerResponse } from "node:http";
import { type RecordedRequest, startRecordingServer } from "#test/providers/recording-server.ts";

/** What goes wrong with a service, each as it is seen in the wild. */
export type ServiceFault =
  | "down"
  | "silent"
  | "slow"
  | "html"
  | "empty"
  | "too_long"
  | "endless"
  | "redirect"
  | "rate_limited"
  | "forbidden"
  | "other_vins"
  | "garbage_values"
  | "cut";

/** NHTSA's vPIC and auto.dev as one local server: the paths, forms and field names of both. */
export interface VinServices {
  nhtsaUrl: string;
  autodevUrl: string;
  /** All requests, in order. */
  requests: RecordedRequest[];
  /** The VINs that NHTSA was asked for, a list for each request. */
  nhtsaBatches(): string[][];
  autodevVins(): string[];
  /** What NHTSA says of a VIN, over the fields of an unknown one. */
  nhtsa: Map<string, Record<string, string>>;
  /** What auto.dev says of a VIN; 404 for others. */
  autodev: Map<string, Record<string, unknown>>;
  fault: { nhtsa: ServiceFault | null; autodev: ServiceFault | null };
  stop(): Promise<void>;
}

export const AUTODEV_KEY = "sk_ad_test_0123456789abcdef";
const NOTE =
  "Results returned successfully. NOTE: Any missing decoded values should be interpreted as NHTSA does not have data on the specific variable. Missing value should NOT be interpreted as an indication that a feature or technology is unavailable for a vehicle.";

/** A few of the 150 fields that vPIC's flat answer has for every VIN, empty where it knows nothing. */
const FIELDS =
  "ABS AirBagLocCurtain AirBagLocFront AirBagLocKnee AirBagLocSide BodyClass DisplacementCC DisplacementL Doors DriveType EngineCylinders EngineConfiguration EngineKW EngineModel FuelTypePrimary GVWR Make Manufacturer Model ModelYear PlantCity PlantCountry PlantState Series SuggestedVIN TransmissionStyle Trim VehicleType".split(
    " ",
  );

export const NHTSA_CLEAN = {
  ErrorCode: "0",
  ErrorText: "0 - VIN decoded clean. Check Digit (9th position) is correct",
};

export async function startVinServices(): Promise<VinServices> {
  const requests: RecordedRequest[] = [];
  const nhtsa: VinServices["nhtsa"] = new Map();
  const autodev: VinServices["autodev"] = new Map();
  const fault: VinServices["fault"] = { nhtsa: null, autodev: null };
  const isNhtsa = ({ path }: RecordedRequest) => path === "/api/vehicles/DecodeVINValuesBatch/";
  const askedOf = ({ text }: RecordedRequest) =>
    (new URLSearchParams(text).get("data") ?? "").split(";");

  const answerNhtsa = (request: RecordedRequest, response: ServerResponse) => {
    const form = new URLSearchParams(request.text);
    if (request.method !== "POST" || form.get("format") !== "json") return send(response, 400, {});
    const vins = askedOf(request);
    const others = fault.nhtsa === "other_vins";
    const Results = vins.map((vin) => ({
      ...Object.fromEntries(FIELDS.map((name) => [name, ""])),
      ErrorCode: "8",
      ErrorText: "8 - No detailed data available currently",
      BusType: "Not Applicable",
      ...nhtsa.get(vin),
      VIN: others ? "1HGCM82633A004352" : vin,
    }));
    const garbage = { Results: [{ VIN: vins[0], Make: 5, ErrorCode: null }, null, "x"] };
    const whole = { Count: vins.length, Message: NOTE, SearchCriteria: "", Results };
    send(response, 200, fault.nhtsa === "garbage_values" ? garbage : whole);
  };
  const answerAutodev = (request: RecordedRequest, response: ServerResponse) => {
    const vin = request.path.replace(/^\/vin\//, "");
    if (request.headers.authorization !== `Bearer ${AUTODEV_KEY}`)
      return send(response, 401, { status: 401, error: "Unauthorized", code: "UNAUTHORIZED" });
    const known = autodev.get(vin);
    const path = `/vin/${vin}`;
    if (!known)
      return send(response, 404, {
        status: 404,
        error: "No vehicle data found for the provided VIN",
        code: "VIN_NOT_FOUND",
        path,
        requestId: "b2c3d4e5f6g7h8i9",
      });
    if (fault.autodev === "garbage_values")
      return send(response, 200, { vin: 7, vinValid: "yes", vehicle: [] });
    send(response, 200, {
      vin,
      vinValid: true,
      wmi: vin.slice(0, 3),
      checksum: true,
      ambiguous: false,
      ...known,
    });
  };

  const server = await startRecordingServer(async (request, response) => {
    requests.push(request);
    const kind = isNhtsa(request) ? "nhtsa" : "autodev";
    const broken = fault[kind];
    if (broken !== null && misbehave(broken, response)) return;
    if (kind === "nhtsa") answerNhtsa(request, response);
    else answerAutodev(request, response);
  });
  return {
    nhtsaUrl: `${server.url}/api/vehicles`,
    autodevUrl: server.url,
    requests,
    nhtsaBatches: () => requests.filter(isNhtsa).map(askedOf),
    autodevVins: () =>
      requests.filter((one) => !isNhtsa(one)).map(({ path }) => path.replace("/vin/", "")),
    nhtsa,
    autodev,
    fault,
    stop: () => server.stop(),
  };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
  response.end(JSON.stringify(body));
}

/** @returns whether the answer is given (or never will be) */
function misbehave(fault: ServiceFault, response: ServerResponse): boolean {
  switch (fault) {
    case "down":
      response.socket?.destroy();
      return true;
    case "silent":
      return true;
    case "slow":
      response.writeHead(200, { "content-type": "application/json" });
      response.write('{"Results":[');
      return true;
    case "html":
      response.writeHead(200, { "content-type": "text/html" });
      response.end("<html><body>Access Denied</body></html>");
      return true;
    case "empty":
      response.writeHead(200);
      response.end();
      return true;
    case "too_long":
      response.writeHead(200, { "content-type": "application/json" });
      response.end(`{"Results":[],"padding":"${"x".repeat(8 * 1024 * 1024)}"}`);
      return true;
    case "endless": {
      response.writeHead(200, { "content-type": "application/json" });
      const more = () => {
        while (!response.destroyed && response.write(" ".repeat(65_536)));
      };
      response.on("drain", more);
      more();
      return true;
    }
    case "redirect":
      response.writeHead(302, { location: "http://169.254.169.254/latest/meta-data/" });
      response.end();
      return true;
    case "rate_limited":
      response.writeHead(429, { "retry-after": "7" });
      response.end("{}");
      return true;
    case "forbidden":
      response.writeHead(403, { "content-type": "text/html" });
      response.end("<h1>Automated traffic</h1>");
      return true;
    case "cut":
      response.writeHead(200, { "content-type": "application/json", "content-length": "100000" });
      response.write('{"Results":[{"VIN":"');
      setImmediate(() => response.socket?.destroy());
      return true;
    case "other_vins":
    case "garbage_values":
      return false;
  }
}
