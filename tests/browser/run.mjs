// Runs the flows one after the other (each starts a server and a browser of its own on two cores) and prints a summary.
//
//   node tests/browser/run.mjs            all flows
//   node tests/browser/run.mjs receipt    those whose file name contains the word
import { mkdirSync, readdirSync } from "node:fs";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { screenshotDirectory } from "./lib/paths.mjs";

/** A flow that hangs costs this much, not the whole run. */
const FLOW_LIMIT_MS = 240_000;

const directory = fileURLToPath(new URL("./flows/", import.meta.url));
const word = process.argv[2] ?? "";
const files = readdirSync(directory)
  .filter((name) => name.endsWith(".test.mjs") && name.includes(word))
  .sort()
  .map((name) => directory + name);
if (files.length === 0) {
  console.error(`error: no flow's file name contains \`${word}\``);
  process.exit(1);
}

mkdirSync(screenshotDirectory, { recursive: true });
run({ files, concurrency: 1, timeout: FLOW_LIMIT_MS })
  .on("test:fail", () => {
    process.exitCode = 1;
  })
  .compose(new spec())
  .pipe(process.stdout);
