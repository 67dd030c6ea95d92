// Bundles the page: `node build.mjs` writes ../dist. The module of the engine is built by
// scripts/playground and lies beside it.
import { build } from "esbuild";
import { cpSync, mkdirSync, readFileSync, readdirSync, existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "..", "dist");
mkdirSync(dist, { recursive: true });

await build({
  entryPoints: [join(here, "src/main.tsx")],
  bundle: true,
  format: "esm",
  minify: true,
  target: "es2022",
  outfile: join(dist, "app.js"),
  jsx: "automatic",
  jsxImportSource: "preact",
  alias: { react: "preact/compat", "react-dom": "preact/compat", "react/jsx-runtime": "preact/jsx-runtime" },
  define: { "process.env.NODE_ENV": '"production"' },
  external: ["./chatflow_web.js"],
  legalComments: "none",
  logLevel: "warning",
});
cpSync(join(here, "src/index.html"), join(dist, "index.html"));

// The packages in the bundle, and their terms.
const shipped = ["@xyflow/react", "@xyflow/system", "preact", "classcat", "zustand", "use-sync-external-store",
  "d3-color", "d3-dispatch", "d3-drag", "d3-ease", "d3-interpolate", "d3-selection", "d3-timer", "d3-transition", "d3-zoom"];
let terms = "The file app.js holds these packages beside chatflow's own code.\n";
for (const name of shipped) {
  const folder = join(here, "node_modules", name);
  if (!existsSync(folder)) continue;
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
  terms += `\n${"-".repeat(80)}\n${name} ${version} (${license})\n\n`;
  if (file) terms += readFileSync(join(folder, file), "utf8").trim() + "\n";
}
writeFileSync(join(dist, "LICENSES.txt"), terms);
