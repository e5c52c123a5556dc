// A real OpenID Connect provider for tests: whoever names an account at its login is logged in.
//
// Settings, as JSON in OIDC_SETTINGS:
//   clients      as oidc-provider takes them
//   accounts     {"<login>": {<claims>}}
//   idTokenOnly  whether claims stand in the ID token (else they are told when asked for alone)
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const settings = JSON.parse(process.env.OIDC_SETTINGS ?? '{}');
const accounts = settings.accounts ?? {};

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: settings.clients,
  claims: {
    openid: ['sub'],
    email: ['email', 'email_verified'],
    profile: ['name', 'preferred_username', 'groups'],
  },
  conformIdTokenClaims: settings.idTokenOnly !== true,
  findAccount: (_context, id) =>
    accounts[id] && { accountId: id, claims: () => ({ sub: id, ...accounts[id] }) },
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true } },
  cookies: { keys: ['a key of this test alone'] },
  ttl: { Interaction: 600, Session: 600, Grant: 600, IdToken: 600, AccessToken: 600 },
});
// Errors are answers here; what is printed is the address alone.
console.warn = () => {};
server.on('request', provider.callback());
console.log(JSON.stringify({ issuer }));
process.stdin.resume().on('end', () => process.exit(0));
