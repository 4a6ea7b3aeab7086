// Starts the real server on a free port with a data directory of its own, as a person would on the first day.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binary } from "./paths.mjs";

/** First start includes migrations, certificates and the readers' warm-up, in a debug build. */
const START_LIMIT_MS = 90_000;
/** After this the server is killed: a shutdown that takes longer is a failure of its own. */
const STOP_LIMIT_MS = 20_000;
/** How much of the log is kept for a failure's message. */
const LOG_CHARS = 20_000;

/**
 * Starts `vouch serve`. Resolves once the server has printed where it listens:
 * `{ address, name, password, log(), stop() }`. `name` and `password` are those of the first-run account;
 * the password is used up by the first sign-in.
 */
export async function startVouch(extraArguments = []) {
  const dataDirectory = mkdtempSync(join(tmpdir(), "vouch-browser-"));
  const { PATH, HOME, LANG, TESSDATA_PREFIX } = process.env;
  const child = spawn(
    binary,
    ["serve", ...extraArguments],
    {
      // Nothing of the developer's own configuration leaks in.
      env: defined({
        PATH,
        HOME,
        LANG,
        TESSDATA_PREFIX,
        VOUCH_DATA_DIR: dataDirectory,
        VOUCH_SERVER__LISTEN: "127.0.0.1:0",
      }),
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let log = "";
  let changed = () => {};
  const exited = new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? code)));
  const failed = new Promise((_, reject) => {
    child.once("error", (error) => reject(new Error(`\`${binary}\` did not start: ${error.message}`)));
    exited.then((how) => reject(new Error(`vouch ended (${how}) before it listened:\n${log}`)));
  });
  failed.catch(() => {});
  const listening = new Promise((resolve) => {
    changed = () => {
      const address = /listening on (https?:\/\/[^\s"]+)/.exec(log)?.[1];
      if (address) resolve(address.replace(/\/$/, ""));
    };
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text) => {
      log = (log + text).slice(-LOG_CHARS);
      changed();
    });
  }

  const stop = async () => {
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
    child.kill("SIGTERM");
    const how = child.pid === undefined ? 0 : await exited;
    clearTimeout(timer);
    rmSync(dataDirectory, { recursive: true, force: true });
    if (how === "SIGKILL") throw new Error(`vouch did not stop within ${STOP_LIMIT_MS} ms:\n${log}`);
  };

  try {
    const address = await Promise.race([listening, failed, limit(START_LIMIT_MS, () => `vouch did not listen:\n${log}`)]);
    // Both lines are printed before the address; the address line ends the first-run message.
    const password = /one-time password: (\S+)/.exec(log)?.[1];
    const name = /account: (\S+)/.exec(log)?.[1] ?? "admin";
    if (!password) throw new Error(`the first run printed no one-time password:\n${log}`);
    return { address, name, password, log: () => log, stop };
  } catch (error) {
    child.kill("SIGKILL");
    rmSync(dataDirectory, { recursive: true, force: true });
    throw error;
  }
}

function limit(milliseconds, message) {
  return new Promise((_, reject) => setTimeout(() => reject(new Error(message())), milliseconds).unref());
}

function defined(entries) {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
}
