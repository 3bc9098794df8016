// Starts one application at a time for tests/live/express.rs.
//
// Reads lines `<major> <folder>` from standard input; answers each with a line of JSON: the answers
// to the requests of `<folder>/requests.json`, which the suite writes into its own copy.
'use strict';
const http = require('http');
const Module = require('module');
const path = require('path');
const readline = require('readline');
const fs = require('fs');

const here = __dirname;
let major = '4';
let server;
const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  if (request === 'express') request = `express${major}`;
  const own = /^(cors|express[45]|zod|envalid|joi)$/.test(request);
  return own ? require.resolve(path.join(here, 'node_modules', request)) : resolve.call(this, request, ...rest);
};

// Applications listen where the suite wants them to.
const listen = http.Server.prototype.listen;
http.Server.prototype.listen = function (...args) {
  const done = args.find((arg) => typeof arg === 'function');
  server = this;
  return listen.call(this, 0, '127.0.0.1', done);
};

function ask(port, request) {
  return new Promise((settle) => {
    // Turns of this process, not seconds of the clock: a busy machine is no application that hangs.
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
      if (turns > 20) sent.destroy();
    }, 50);
    const answer = (value) => {
      clearInterval(timer);
      settle(value);
    };
    const sent = http.request({
      host: '127.0.0.1', port, method: request.method, path: request.path, agent: false,
      headers: { host: 'service.example', ...request.headers },
    }, (response) => {
      const head = [];
      for (let i = 0; i < response.rawHeaders.length; i += 2) {
        head.push(`${response.rawHeaders[i]}: ${response.rawHeaders[i + 1]}`);
      }
      response.destroy();
      answer({ status: response.statusCode, head });
    });
    sent.on('close', () => answer({ status: null, head: [] }));
    sent.on('error', () => answer({ status: null, head: [] }));
    sent.end();
  });
}

const quiet = () => {};
console.log = console.info = console.warn = console.error = quiet;
process.on('uncaughtException', quiet);
process.on('unhandledRejection', quiet);

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

async function run(line) {
  const [version, folder] = line.split(' ');
  const requests = JSON.parse(fs.readFileSync(path.join(folder, 'requests.json'), 'utf8'));
  major = version;
  server = undefined;
  process.env.NODE_ENV = 'production';
  const main = ['app.js', 'server.js', 'index.js'].find((name) => fs.existsSync(path.join(folder, name)));
  try {
    require(path.join(folder, main));
  } catch (error) {
    return say({ throws: String(error.message).split('\n')[0] });
  }
  for (let i = 0; i < 50 && !(server && server.listening); i++) await new Promise((go) => setTimeout(go, 2));
  if (!server || !server.listening) return say({ throws: 'does not listen' });
  const { port } = server.address();
  const answers = [];
  for (let i = 0; i < requests.length; i += 30) {
    answers.push(...await Promise.all(requests.slice(i, i + 30).map((request) => ask(port, request))));
  }
  server.closeAllConnections();
  server.close();
  say({ answers });
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) await run(line);
})();
