// A certified OpenID Connect provider for tests: `oidc-provider` from web's node_modules.
// Usage: node oidc_provider.mjs PATH_TO_PACKAGE; the settings come as JSON on standard input.
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { default: Provider } = await import(pathToFileURL(process.argv[2]).href);
const given = JSON.parse(readFileSync(0, "utf8"));
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = { ...privateKey.export({ format: "jwk" }), kid: given.kid, alg: "RS256", use: "sig" };

const provider = new Provider(given.issuer, {
  clients: given.clients,
  jwks: { keys: [key] },
  cookies: { keys: ["a secret of the test only"] },
  conformIdTokenClaims: given.conform,
  claims: { openid: ["sub"], profile: ["name", "preferred_username", "groups"], email: ["email"] },
  // Without `offline_access` too, as Keycloak does; each is good once, and used again takes all that came of it.
  issueRefreshToken: (_, client) => client.grantTypeAllowed("refresh_token"),
  rotateRefreshToken: true,
  pkce: { required: () => true },
  findAccount: (_, sub) => {
    const claims = JSON.parse(readFileSync(given.people, "utf8"))[sub];
    return claims && { accountId: sub, claims: () => ({ sub, ...claims }) };
  },
});
provider.listen(given.port, "127.0.0.1", () => console.log("listening"));
