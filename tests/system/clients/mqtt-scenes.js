// Scenes that mqtt.js plays with a broker: node mqtt-scenes.js URL VERSION SCENE. Prints
// what its clients saw, as JSON. VERSION is the protocol's number: 4 is 3.1.1, 5 is 5.0.
"use strict";

const mqtt = require("mqtt");

const url = process.argv[2];
const protocolVersion = Number(process.argv[3]);
const clients = [];

// A client that is connected: what the broker greeted it with is its `greeting`.
function connect(clientId, options) {
  const client = mqtt.connect(url, {
    clientId, protocolVersion, reconnectPeriod: 0, ...options });
  const messages = [], waiting = [];

  client.on("message", (topic, payload, packet) => {
    const message = { topic, payload: payload.toString(), qos: packet.qos,
                      retain: packet.retain, properties: packet.properties };
    if (waiting.length) waiting.shift()(message);
    else messages.push(message);
  });
  const one = () => messages.length
    ? Promise.resolve(messages.shift())
    : new Promise((resolve) => waiting.push(resolve));
  client.next = async (count) => {
    const seen = [];
    while (seen.length < count) seen.push(await one());
    return seen;
  };
  client.tell = (...words) => call(client, "publish", ...words);
  client.follow = (...words) => call(client, "subscribe", ...words);
  client.leave = () => new Promise((resolve) => client.end(false, resolve));
  clients.push(client);
  return new Promise((resolve, reject) => {
    client.on("error", reject);
    client.on("connect", (greeting) => resolve(Object.assign(client, { greeting })));
  });
}

function call(client, method, ...words) {
  return new Promise((resolve, reject) =>
    client[method](...words, (error, result) => (error ? reject(error) : resolve(result))));
}

const brief = (messages) => messages.map(({ topic, payload, qos, retain }) =>
  [topic, payload, qos, retain]);

const scenes = {
  async every_qos() {
    const reader = await connect("reader"), writer = await connect("writer");
    const granted = await reader.follow({ "t/#": { qos: 2 }, "one": { qos: 1 } });
    for (const qos of [0, 1, 2])
      for (let number = 0; number < 50; number++)
        await writer.tell(`t/${qos}`, String(number), { qos });
    await writer.tell("one", "last", { qos: 2 });
    return { granted: granted.map(({ topic, qos }) => [topic, qos]),
             messages: brief(await reader.next(151)) };
  },

  async retained() {
    const writer = await connect("writer"), reader = await connect("reader");
    for (const qos of [0, 1, 2])
      await writer.tell(`kept/${qos}`, "old", { qos, retain: true });
    await writer.tell("kept/1", "new", { qos: 1, retain: true });
    await writer.tell("kept/2", "", { qos: 1, retain: true });
    await reader.follow("kept/#", { qos: 2 });
    const kept = await reader.next(2);
    await writer.tell("kept/1", "live", { qos: 1, retain: true });
    return { kept: brief(kept).sort(), live: brief(await reader.next(1)) };
  },

  async wills() {
    const heir = await connect("heir"), seen = [];
    await heir.follow("will/#", { qos: 2 });
    for (const qos of [0, 1, 2]) {
      const mortal = await connect("mortal",
        { will: { topic: `will/${qos}`, payload: "gone", qos, retain: qos === 2 } });
      mortal.stream.destroy();
      seen.push(...await heir.next(1));
    }
    const polite = await connect("polite", { will: { topic: "will/no", payload: "never" } });
    await polite.leave();
    await heir.tell("will/end", "end", { qos: 1 });
    seen.push(...await heir.next(1));
    const late = await connect("late");
    await late.follow("will/2", { qos: 2 });
    return { seen: brief(seen), kept: brief(await late.next(1)) };
  },

  async session() {
    const stays = { clean: false,
                    properties: protocolVersion === 5 ? { sessionExpiryInterval: 100 } : undefined };
    const first = await connect("sleeper", stays);
    await first.follow("t", { qos: 2 });
    await first.leave();
    const writer = await connect("writer");
    for (const qos of [1, 2])
      for (const number of [0, 1, 2])
        await writer.tell("t", `${qos}${number}`, { qos });
    const again = await connect("sleeper", stays);
    const waited = await again.next(6);
    await again.leave();
    const clean = await connect("sleeper", { clean: true });
    return { before: first.greeting.sessionPresent, present: again.greeting.sessionPresent,
             after: clean.greeting.sessionPresent, waited: brief(waited) };
  },

  async request() {
    const server = await connect("server"), asker = await connect("asker");
    await server.follow({ "ask/+": { qos: 1 } }, { properties: { subscriptionIdentifier: 7 } });
    await asker.follow("reply/asker", { qos: 1 });
    const asked = server.next(1);
    await asker.tell("ask/time", "now?", { qos: 1, properties: {
      responseTopic: "reply/asker", correlationData: Buffer.from([0, 1, 255]),
      contentType: "text/plain", payloadFormatIndicator: true, messageExpiryInterval: 60,
      userProperties: { from: "asker", tag: ["a", "b"] } } });
    const [{ properties }] = await asked;
    await server.tell(properties.responseTopic, "noon",
      { qos: 1, properties: { correlationData: properties.correlationData } });
    const [reply] = await asker.next(1);
    return { properties: { ...properties, correlationData: [...properties.correlationData] },
             reply: reply.payload, correlation: [...reply.properties.correlationData] };
  },
};

scenes[process.argv[4]]().then(
  (seen) => {
    console.log(JSON.stringify(seen));
    clients.forEach((client) => client.end(true));
  },
  (error) => {
    console.error(error.stack);
    process.exit(1);
  });
