/**
 * An OpenID provider as a process, for tests of tokens: client credentials, resource indicators, JWT access tokens.
 *
 * Standard input, one line each: first `{"audiences": ["…"], "clients": [{"id": "…", "secret": "…", "claims": {…}}]}`:
 * the resources that tokens may be for, and what is added to those of a client; then commands:
 *   rotate  a new key signs from now on, and is published beside those before it
 *   retire  only the newest key is published
 *   stop    nobody is answered, and the port is given up
 *   start   the same provider on the same port
 * Standard output, one line for each line read, when it is done: the issuer. The process ends with its input.
 */
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import Provider, { errors } from "oidc-provider";

/** Nothing is kept: clients are given at the start, and signed tokens need no record. */
class Forgetful {
  async find() {}
  async upsert() {}
}

const SCOPES = "cde:read cde:write cde:referents cde:import cde:admin";

let settings;
/** Private JWKs; the provider signs with the first. */
let keys = [];
let answer;
const server = createServer((request, response) => answer(request, response));

const issuer = () => `http://127.0.0.1:${server.address().port}`;

function addKey() {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  keys.unshift({ ...privateKey.export({ format: "jwk" }), kid: randomUUID(), alg: "ES256", use: "sig" });
}

/** The keys of a provider are given when it is made, so other keys make another one of the same name. */
function provide(name) {
  const claimsOf = new Map(settings.clients.map(({ id, claims }) => [id, claims]));
  const provider = new Provider(name, {
    clients: settings.clients.map(({ id, secret }) => ({
      client_id: id,
      client_secret: secret,
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      scope: SCOPES,
    })),
    adapter: Forgetful,
    cookies: { keys: [randomUUID()] },
    clientDefaults: { id_token_signed_response_alg: "ES256" },
    scopes: SCOPES.split(" "),
    jwks: { keys },
    extraTokenClaims: (_context, token) => claimsOf.get(token.clientId),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, audience) => {
          if (!settings.audiences.includes(audience)) throw new errors.InvalidTarget();
          return { audience, scope: SCOPES, accessTokenFormat: "jwt", jwt: { sign: { alg: "ES256" } } };
        },
      },
    },
    ttl: { ClientCredentials: 3600 },
  });
  answer = provider.callback();
}

async function listen(port) {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
}

async function stop() {
  const { port } = server.address();
  server.close();
  server.closeAllConnections();
  await once(server, "close");
  return port;
}

let name, port;
const commands = {
  rotate: () => (addKey(), provide(name)),
  retire: () => ((keys = keys.slice(0, 1)), provide(name)),
  stop: async () => (port = await stop()),
  start: () => listen(port),
};
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  if (settings === undefined) {
    settings = JSON.parse(line);
    await listen(0);
    name = issuer();
    commands.rotate();
  } else {
    await commands[line]();
  }
  process.stdout.write(`${name}\n`);
}
server.close();
server.closeAllConnections();
