import data from "./vin-data.json" with { type: "json" };

/** Names the data in paths and keys: the package's version, the day of vPIC's, and the format of our files. */
export const VIN_DATA_VERSION = `${data.package}-${data.vpic}-${data.format}`;

/**
 * Where the file of a maker code stands among the static files of the api Worker.
 * @param vin at least three characters of a VIN, digits and capitals
 */
export function makerFilePath(vin: string): string {
  return `/vin/${VIN_DATA_VERSION}/${vin.slice(0, 3)}.json`;
}
