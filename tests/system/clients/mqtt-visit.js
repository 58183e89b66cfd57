// A client of mqtt.js that logs in where it may not be welcome: node mqtt-visit.js URL VERSION
// VISIT. VISIT is JSON: `login` (a name and a password, or null), `trust`, `certificate` and
// `key` (files), `topics`. Prints what it was told as JSON: `refused` (the code of CONNACK),
// `failed` (no connection, and why), or for each topic what was `granted` and `acknowledged`.
"use strict";

const fs = require("fs");
const mqtt = require("mqtt");

const [, , url, version, text] = process.argv;
const visit = JSON.parse(text);
const read = (path) => path ? fs.readFileSync(path) : undefined;

// The code of an answer: older releases hand it over, newer ones make an error of it.
function ask(client, method, ...words) {
  return new Promise((resolve) => client[method](...words, (error, result) =>
    resolve(error ? error.code || error.message : result)));
}

async function look(client) {
  const granted = {}, acknowledged = {};

  for (const topic of visit.topics) {
    const result = await ask(client, "subscribe", topic, { qos: 1 });
    granted[topic] = Array.isArray(result) ? result[0].qos : result;
  }
  for (const topic of visit.topics) {
    const result = await ask(client, "publish", topic, "from the visitor", { qos: 1 });
    acknowledged[topic] = typeof result === "object" ? 0 : result;
  }
  return { granted, acknowledged };
}

function tell(seen) {
  console.log(JSON.stringify(seen));
  process.exit(0);
}

const [username, password] = visit.login || [];
const client = mqtt.connect(url, {
  clientId: "visitor", protocolVersion: Number(version), reconnectPeriod: 0, username, password,
  ca: read(visit.trust), cert: read(visit.certificate), key: read(visit.key) });
let failure = null;

client.on("connect", () => look(client).then(tell));
client.on("error", (error) => {
  if (typeof error.code === "number") tell({ refused: error.code });
  failure = error.message;
});
// What goes wrong below a WebSocket is told here only.
client.stream.on("error", (error) => { failure = failure || error.message; });
client.on("close", () => tell({ failed: failure || "closed" }));
