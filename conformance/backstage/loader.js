// Lets Node load the front end's module as it is published. What its client needs is real; what only the cards on
// the page need, such as React, is a stand-in that accepts every use.
import { readdir, readFile } from "node:fs/promises";

const plugin = new URL("./node_modules/@backstage/plugin-pagerduty/dist/", import.meta.url);
const real = ["luxon", "@backstage/errors"];

const standIn = `
const any = new Proxy(function () {}, { get: (_, name) => (name === Symbol.toPrimitive ? () => "" : any), apply: () => any, construct: () => any });
export default any;
`;

// exported has every name that the plugin imports: a stand-in exports them all.
const exported = new Set();
for (const file of await readdir(new URL("esm/", plugin))) {
  if (file.endsWith(".js")) {
    const source = await readFile(new URL("esm/" + file, plugin), "utf8");
    for (const [, list] of source.matchAll(/^import [^'"]*?\{([^}]*)\} from/gm)) {
      list.split(",").forEach((name) => exported.add(name.trim().split(" as ")[0]));
    }
  }
}

export async function resolve(specifier, context, next) {
  const ofPlugin = context.parentURL?.startsWith(plugin.href);
  if (!ofPlugin || real.includes(specifier) || (specifier.startsWith(".") && specifier.endsWith(".js"))) {
    return next(specifier, context);
  }
  return { url: "stand-in:" + specifier, format: "module", shortCircuit: true };
}

export async function load(url, context, next) {
  if (url.startsWith("stand-in:")) {
    const source = standIn + [...exported].map((name) => `export { any as ${name} };`).join("\n");
    return { format: "module", source, shortCircuit: true };
  }
  if (!url.startsWith(plugin.href)) {
    return next(url, context);
  }
  return { format: "module", source: await readFile(new URL(url), "utf8"), shortCircuit: true };
}
