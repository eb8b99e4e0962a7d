// A real OpenID provider (oidc-provider). Arguments: the folder with node_modules, the keys as a
// JSON set, a port, where the chat page is (or ``), and how many seconds access tokens last.
// Clients `app-RS256`, `app-ES256`, `app-Ed25519` get tokens of that kind, `page-RS256` is the page.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [folder, keys, port, page, seconds] = process.argv.slice(2);
const require = createRequire(pathToFileURL(folder + '/package.json'));
const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));
const issuer = `http://127.0.0.1:${port}`;
const groups = { ana: ['finance'], bruno: ['sales'] };
const client = (alg) => ({
  client_id: `app-${alg}`,
  client_secret: 'secret',
  redirect_uris: ['http://127.0.0.1/cb'],
  grant_types: ['authorization_code'],
});
const pages = page ? [{
  client_id: 'page-RS256',
  client_secret: 'secret',
  redirect_uris: [`${page}/oauth2callback`],
  post_logout_redirect_uris: [`${page}/oauth2callback`],
  grant_types: ['authorization_code'],
}] : [];
const provider = new Provider(issuer, {
  jwks: JSON.parse(keys),
  clients: [...['RS256', 'ES256', 'Ed25519'].map(client), ...pages],
  pkce: { required: () => false },
  features: {
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'https://assistant.example',
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource, { clientId }) => ({
        scope: 'ask',
        audience: resource,
        accessTokenTTL: Number(seconds),
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: clientId.split('-')[1] } },
      }),
    },
  },
  extraTokenClaims: (ctx, token) => ({ name: token.accountId, groups: groups[token.accountId] }),
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
});
// How often the keys were asked for, for tests that nobody can make somebody ask for them.
let nKeys = 0;
provider.use(async (ctx, next) => {
  if (ctx.path === '/n-keys') ctx.body = String(nKeys);
  else {
    nKeys += ctx.path === '/jwks';
    await next();
  }
});
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
