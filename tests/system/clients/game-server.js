// A game server that lights a lamp for each goal: plain `net`, no library of ours,
// the way such clients are written. Prints one JSON object with what it saw.
"use strict";

const { connect } = require("./line-socket");

async function play(send, socket) {
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

connect(Number(process.argv[2]), play);
