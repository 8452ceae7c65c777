// Lets Node find "dermaga/NAME" where the browser's import map says it is: import this file first.
import { register } from "node:module";

const hooks = `
import { existsSync } from "node:fs";
const root = new URL(${JSON.stringify(new URL("../../static/js/", import.meta.url).href)});
export function resolve(name, context, next) {
  if (!name.startsWith("dermaga/")) return next(name, context);
  const places = ["lib", "elements"].map((folder) => new URL(folder + "/" + name.slice(8) + ".js", root));
  return { url: places.find((place) => existsSync(place)).href, shortCircuit: true };
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
