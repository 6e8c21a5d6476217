// Talks to Watchbill with the clients of Backstage's PagerDuty plugins: of the back end (@pagerduty) and of the
// older front end (@backstage), which asks through Backstage's proxy. Their code is as published; what they are given of
// Backstage (configuration, discovery, fetch) only changes the address and sets the key.
//
//	node check.js HOST:PORT KEY APIKEY
import { createRequire, register } from "node:module";

const [address, key, apiKey] = process.argv.slice(2);
if (!apiKey) {
  console.error("usage: node check.js HOST:PORT KEY APIKEY");
  process.exit(2);
}

let failures = 0;

// check reports what a client was told. A failed call is a failure, too, unless wanted says what it is to be.
async function check(name, call, ok) {
  let got;
  try {
    got = await call();
  } catch (error) {
    got = error;
  }
  let good = false;
  try {
    good = ok(got);
  } catch {
    // the response lacks what is read
  }
  if (good) {
    console.log("ok  ", name);
  } else {
    failures++;
    console.log("FAIL", name, got instanceof Error ? got : JSON.stringify(got));
  }
  return got;
}

const settings = {
  "pagerDuty.apiBaseUrl": `http://${address}/pagerduty`,
  "pagerDuty.eventsBaseUrl": `http://${address}/v2`,
  "pagerDuty.apiToken": apiKey,
};
const config = { getOptional: (name) => settings[name], getOptionalString: (name) => settings[name], getString: (name) => settings[name] };

// until asks again until an answer is right: what was sent is folded in the background.
async function until(call, ok) {
  for (let i = 0; i < 100; i++) {
    const got = await call();
    if (ok(got)) {
      return got;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return call();
}

async function backEnd() {
  const require = createRequire(import.meta.url);
  const dist = "./node_modules/@pagerduty/backstage-plugin-backend/dist/";
  const client = require(dist + "apis/pagerduty.cjs.js");
  const auth = require(dist + "auth/auth.cjs.js");
  const logger = { debug() {}, info() {}, warn() {}, error: console.error };
  await auth.loadAuthConfig(config, logger);
  client.loadPagerDutyEndpointsFromConfig(config, logger);
  const of = (name) => "backstage-plugin-backend " + name;

  const service = await check(of("finds the service of a key"), () => client.getServiceByIntegrationKey(key), (s) => s.id !== "" && s.name !== "" && s.integrations.length === 1);
  const policies = await check(of("lists policies"), () => client.getAllEscalationPolicies(), (all) => all.length === 1 && all[0].id !== "" && all[0].name === "orders");
  await check(of("reads who is on call"), () => client.getOncallUsers(policies[0].id), (users) =>
    users.length === 1 && users[0].name === "ann" && users[0].email === "ann@example.com" && users[0].id !== "" && users[0].summary === "ann");
  await check(of("reads that nobody is on call"), () => client.getOncallUsers("999"), (users) => users.length === 0);
  await check(of("reads a service"), () => client.getServiceById(service.id), (s) => s.id === service.id && s.name === service.name && "id" in s.integrations[0]);
  await check(of("is told that a service is not there"), () => client.getServiceById("999"), (error) => error.status === 404);
  await check(of("lists all services"), () => client.getAllServices(), (all) => all.length > 1 && new Set(all.map((s) => s.id)).size === all.length);
  await check(of("searches services"), () => client.getServicesByPartialName(service.name), (all) => all.some((s) => s.id === service.id));
  const teams = await check(of("lists teams"), () => client.getAllTeams(), (all) => all.length === 1 && all[0].name === "orders");
  await check(of("filters services"), () => client.getFilteredServices([teams[0].id], service.name, 50), (all) => all.some((s) => s.id === service.id) && all.every((s) => s.teams[0].id === teams[0].id));
  await check(of("finds no services of another team"), () => client.getFilteredServices(["999"], "", 50), (all) => all.length === 0);
  await check(of("reads incidents"), () => client.getIncidents(service.id), (all) => Array.isArray(all));
  await check(of("reads changes"), () => client.getChangeEvents(service.id), (all) => Array.isArray(all));
  await check(of("reads standards"), () => client.getServiceStandards(service.id), (all) => all.score.total === 0 && all.standards.length === 0);
  await check(of("reads figures"), () => client.getServiceMetrics(service.id), (all) => Array.isArray(all) && all.length === 0); // the test's incidents are older than it asks for;
  await check(of("reads dependencies"), () => client.getServiceRelationshipsById(service.id), (all) => all.length === 0);
  await check(of("understands that integrations are made elsewhere"), () => client.createServiceIntegration({ serviceId: service.id, vendorId: "PRO19CT" }), (error) =>
    error instanceof Error && error.message.includes("not authorized"));
}

async function frontEnd() {
  register("./loader.js", import.meta.url);
  const { PagerDutyClient, UnauthorizedError } = await import("./node_modules/@backstage/plugin-pagerduty/dist/index.esm.js");
  const proxy = (token) => (url, options) => fetch(url, { ...options, headers: { ...options.headers, ...(url.includes("/pagerduty/") && { Authorization: "Token token=" + token }) } });
  const discoveryApi = { getBaseUrl: async () => `http://${address}` }; // of the proxy; it forwards /pagerduty
  const client = PagerDutyClient.fromConfig(config, { discoveryApi, fetchApi: { fetch: proxy(apiKey) } });
  const of = (name) => "plugin-pagerduty " + name;
  const entity = (annotations) => ({ metadata: { name: "orders", annotations } });

  const found = await check(of("finds the service of a key"), () => client.getServiceByEntity(entity({ "pagerduty.com/integration-key": key })), ({ service: s }) =>
    s.id !== "" && s.name !== "" && s.escalation_policy.id !== "" && s.escalation_policy.name !== "");
  const id = found.service.id;
  await check(of("reads a service"), () => client.getServiceByEntity(entity({ "pagerduty.com/service-id": id })), ({ service: s }) => s.id === id);
  await check(of("reads who is on call"), () => client.getOnCallByPolicyId(found.service.escalation_policy.id), ({ oncalls }) =>
    oncalls.length === 1 && oncalls[0].escalation_level === 1 && oncalls[0].user.name === "ann" && oncalls[0].user.email === "ann@example.com");
  await check(of("reads changes"), () => client.getChangeEventsByServiceId(id), ({ change_events: all }) => all.length === 0);
  await check(of("raises an alarm"), () => client.triggerAlarm({ integrationKey: key, source: "https://backstage.example.com/orders", description: "Checkout is slow", userName: "ann" }), (r) => r.status === 202);
  const raised = ({ incidents }) => incidents.find((i) => i.title === "Checkout is slow");
  await check(of("reads the incident"), () => until(() => client.getIncidentsByServiceId(id), raised), (all) => {
    const { status, created_at: at, assignments } = raised(all);
    return status === "triggered" && new Date(at).getTime() > 0 && Array.isArray(assignments);
  });
  await check(of("is told that there is no such key"), () => client.getServiceByEntity(entity({ "pagerduty.com/integration-key": "0000" })), (error) => error.name === "NotFoundError");
  const stranger = PagerDutyClient.fromConfig(config, { discoveryApi, fetchApi: { fetch: proxy("wb_0000") } });
  await check(of("is told that its own key is wrong"), () => stranger.getOnCallByPolicyId("1"), (error) => error instanceof UnauthorizedError);
}

await backEnd();
await frontEnd();
process.exitCode = failures > 0 ? 1 : 0;
