// A game server that lights a lamp for each goal: plain `net`, no library of ours,
// the way such clients are written. Prints one JSON object with what it saw.
"use strict";

const net = require("net");

const port = Number(process.argv[2]);
let waiting = [];
let rest = "";

const socket = net.createConnection({ host: "127.0.0.1", port });
socket.setEncoding("utf8");
socket.setTimeout(20000, () => socket.destroy(new Error("no answer in time")));

socket.on("data", (chunk) => {
  rest += chunk;
  let end;
  while ((end = rest.indexOf("\n")) >= 0) {
    const reply = JSON.parse(rest.slice(0, end));
    rest = rest.slice(end + 1);
    waiting.shift()(reply);
  }
});
socket.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});

function send(command, args) {
  socket.write(JSON.stringify({ command, ...args }) + "\n");
  return new Promise((resolve) => waiting.push(resolve));
}

async function play() {
  const pong = await send("ping");
  const goals = await Promise.all(
    [17, 27, 22].flatMap((pin) => [send("led_on", { pin }), send("led_off", { pin })]));
  const pins = await send("gpio_status");
  const lamp = await send("led_on", { pin: "GPIO17" });
  const unknown = await send("led_onn", { pin: 17 });
  const text = await send("echo", { message: "Tor für Köln! ⚽", nested: { list: [1, 2.5, null, true] } });
  console.log(JSON.stringify({ pong, goals, pins, lamp, unknown, text }));
  socket.end();
}

socket.on("connect", play);
