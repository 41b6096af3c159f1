/** A model's place in the API: `models/…`, or what an operator has written out, as `tunedModels/…`. */
export function modelPath(model: string): string {
  const path = model.includes("/") ? model : `models/${model}`;
  return path.split("/").map(encodeURIComponent).join("/");
}
