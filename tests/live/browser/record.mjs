// Makes requests with a real Chromium to servers that answer as told, and writes down what happened,
// in the form of fixtures/browser/browser.json: `node record.mjs CASES RESULTS`.
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import puppeteer from "puppeteer-core";

const cases = JSON.parse(readFileSync(process.argv[2], "utf8"));
const script = readFileSync(new URL("page.js", import.meta.url), "utf8");
const AT_ONCE = 12;

const servers = {};
const sent = cases.map(() => []);
const preparing = cases.map(() => false);

function listen(name, host, port = 0) {
  return new Promise((resolve, reject) => {
    const server = http.createServer((request, response) => answer(name, request, response));
    server.on("error", reject);
    server.listen(port, host, () => resolve((servers[name] = server.address().port)));
  });
}

/** A response exactly as told, written by hand. */
function write(socket, status, headers, body, withBody) {
  const has = (name) => headers.some(([other]) => other.toLowerCase() === name);
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  if (!has("content-type")) lines.push("Content-Type: application/json");
  if (![204, 304].includes(status)) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  lines.push("Connection: close");
  const head = `HTTP/1.1 ${status} X\r\n${lines.join("\r\n")}\r\n\r\n`;
  socket.write(Buffer.from(head, "latin1"));
  if (withBody && ![204, 304].includes(status)) socket.write(body);
  socket.end();
}

function answer(name, request, response) {
  const socket = response.socket;
  const parts = /^\/c(\d+)\/(\d+)$/.exec(request.url);
  if (name === "page" || name === "port80") {
    if (request.url === "/page") {
      const html = `<!doctype html><script>${script}</script>`;
      return write(socket, 200, [["Content-Type", "text/html"]], html, true);
    }
    // The page's own server, which knows nothing of CORS.
    return write(socket, request.url === "/same" ? 200 : 404, [], "{}", true);
  }
  if (!parts) return write(socket, 404, [], "", true);
  const [index, hop] = [Number(parts[1]), Number(parts[2])];
  const test = cases[index];
  const { origin, cookie, authorization } = request.headers;
  const wanted = request.headers["access-control-request-method"];
  const preflight = request.method === "OPTIONS" && wanted !== undefined && origin !== undefined;
  if (!preparing[index]) {
    sent[index].push({
      at: places(index)(`http://${request.headers.host}${request.url}`),
      method: request.method,
      preflight,
      origin: origin === undefined ? null : places(index)(origin),
      request_method: wanted ?? null,
      request_headers: request.headers["access-control-request-headers"] ?? null,
      cookie: cookie !== undefined,
      ...(authorization === undefined ? {} : { authorization: true }),
    });
  }
  const answers = hop === 0 ? test : test.then[hop - 1];
  let told = preflight ? answers.preflight : answers.actual;
  if (origin === undefined && test.plain) told = test.plain;
  told ??= { status: 500, headers: [] };
  if (told.close) return socket.destroy();
  const fill = (text) => filled(index, text).replaceAll("{request_origin}", origin ?? "");
  const headers = (told.headers ?? []).map(([key, value]) => [key, fill(value)]);
  const body = told.body ?? "{}";
  write(socket, told.status ?? 500, headers, body, request.method !== "HEAD");
}

const pageOrigin = (test) =>
  test.page === "address"
    ? `http://127.0.0.1:${servers.page}`
    : test.page === "port80"
      ? "http://localhost"
      : `http://localhost:${servers.page}`;

const at = (place) =>
  place === "{other}" ? `http://127.0.0.1:${servers.other}` : `http://localhost:${servers.server}`;

function url(index, hop) {
  const test = cases[index];
  if (hop === 0 && test.request.url) return filled(index, test.request.url);
  return `${at(hop === 0 ? "{server}" : test.then?.[hop - 1]?.at)}/c${index}/${hop}`;
}

/** A text with its placeholders filled in. */
function filled(index, text) {
  const test = cases[index];
  text = text.replaceAll("{origin}", pageOrigin(test)).replaceAll("{port}", servers.page);
  for (let hop = 9; hop > 0; hop--) {
    if (text.includes(`{url${hop}}`)) text = text.replaceAll(`{url${hop}}`, url(index, hop));
  }
  if (text.includes("{url}")) text = text.replaceAll("{url}", url(index, 0));
  return text
    .replaceAll("{server}", at("{server}"))
    .replaceAll("{other}", at("{other}"))
    .replaceAll("{closed}", `http://localhost:${servers.closed}`);
}

/** What puts placeholders back. */
function places(index) {
  const test = cases[index];
  const pairs = [[url(index, 0), "{url}"]];
  for (let hop = 1; hop <= (test.then?.length ?? 0); hop++) {
    pairs.push([url(index, hop), `{url${hop}}`]);
  }
  pairs.push(
    [at("{server}"), "{server}"],
    [at("{other}"), "{other}"],
    [pageOrigin(test), "{origin}"],
    [`:${servers.page}`, ":{port}"],
  );
  return (text) => pairs.reduce((text, [from, to]) => text.replaceAll(from, to), text);
}

await listen("page");
await listen("server");
await listen("other", "127.0.0.1");
await listen("port80", undefined, 80);
// A port where nobody listens.
const closed = http.createServer().listen(0);
servers.closed = closed.address().port;
await new Promise((resolve) => closed.close(resolve));

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"],
});
const entries = [];

async function watch(target) {
  const session = await target.createCDPSession();
  session.on("Log.entryAdded", ({ entry }) => entries.push(entry));
  await session.send("Log.enable");
}

async function open(origin) {
  const page = await browser.newPage();
  await watch(page);
  await page.goto(`${origin}/page`);
  return page;
}

/** A page, and how it makes a request. */
async function opened(kind) {
  const host = kind === "address" ? `http://127.0.0.1:${servers.page}` : `http://localhost:${servers.page}`;
  const page = await open(kind === "port80" ? "http://localhost" : host);
  if (kind !== "sandboxed" && kind !== "data") {
    return (request, to) => page.evaluate((r, u) => window.make(r, u), request, to);
  }
  await page.evaluate(
    (kind, script) => {
      const frame = document.createElement("iframe");
      const html = `<!doctype html><script>${script}<` + "/script>";
      if (kind === "sandboxed") {
        frame.sandbox = "allow-scripts";
        frame.srcdoc = html;
      } else {
        frame.src = `data:text/html,${encodeURIComponent(html)}`;
      }
      window.answers = new Map();
      window.addEventListener("message", ({ data }) => window.answers.get(data?.answer)?.(data.result));
      const loaded = new Promise((resolve) => (frame.onload = resolve));
      document.body.append(frame);
      window.frame = frame;
      return loaded;
    },
    kind,
    script,
  );
  let number = 0;
  for (const target of browser.targets()) {
    if (target.type() === "other" && target.url().startsWith("data:")) await watch(target);
  }
  return (request, to) =>
    page.evaluate(
      (request, url, ask) =>
        new Promise((resolve) => {
          window.answers.set(ask, resolve);
          window.frame.contentWindow.postMessage({ ask, request, url }, "*");
        }),
      request,
      to,
      number++,
    );
}

const pages = {};
// The last one is in front, and media are loaded in front only.
for (const kind of ["sandboxed", "data", "address", "port80", "top"]) pages[kind] = await opened(kind);

const results = [];
async function run(index) {
  const test = cases[index];
  if (test.before) {
    preparing[index] = true;
    await pages[test.before.page ?? "top"]({ api: test.before.api ?? "fetch" }, url(index, 0));
    preparing[index] = false;
  }
  results[index] = await pages[test.page ?? "top"](test.request, url(index, 0));
}
const queue = cases.keys();
const worker = async () => {
  for (const index of queue) await run(index);
};
await Promise.all(Array.from({ length: AT_ONCE }, worker));
// The console lags behind the scripts.
await new Promise((resolve) => setTimeout(resolve, 500));

const out = cases.map((test, index) => {
  const [first, put] = [url(index, 0), places(index)];
  const hops = [first, ...(test.then ?? []).map((_, hop) => url(index, hop + 1))];
  const names = (text) => text.split(/['"\s]/).some((word) => word.replace(/\.$/, "") === first);
  // Where redirects are told of, the first address is the case's own.
  const speaks = (text) => (/redirected from '([^']*)'/.exec(text)?.[1] ?? first) === first && names(text);
  const own = entries.filter(({ text, url }) => speaks(text) || (hops.includes(url) && /^Failed/.test(text)));
  const words = own.map(({ text }) => text);
  const console = words.find((text) => !text.startsWith("Failed to load resource"));
  const network = own.map(({ text }) => /net::[A-Z_]+/.exec(text)?.[0]).find(Boolean);
  return {
    ...results[index],
    console: console === undefined ? null : put(console),
    network: network ?? null,
    sent: sent[index],
  };
});
const version = await browser.version();
writeFileSync(process.argv[3], JSON.stringify({ browser: version, results: out }));
await browser.close();
process.exit(0);
