// Lets Node find "dermaga/NAME" where the browser's import map says it is.
import { existsSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { registerHooks } from "node:module";

export const scripts = fileURLToPath(new URL("../../static/js/", import.meta.url));

export function resolve(name, context, next) {
  if (!name.startsWith("dermaga/")) return next(name, context);
  const found = ["lib", "elements"].map((folder) => `${scripts}${folder}/${name.slice(8)}.js`).find(existsSync);
  return { url: pathToFileURL(found).href, shortCircuit: true };
}

if (registerHooks) registerHooks({ resolve });
