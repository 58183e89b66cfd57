// JSON lines over a plain `net` socket, the way clients of such servers are written.
"use strict";

const net = require("net");

// Calls `talk(send, socket)` once connected; `send(command, args)` promises the reply.
// Replies come in the order of the requests.
function connect(port, talk) {
  const waiting = [];
  const socket = net.createConnection({ host: "127.0.0.1", port });
  let rest = "";

  socket.setEncoding("utf8");
  socket.setTimeout(30000, () => socket.destroy(new Error("no answer in time")));
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
  socket.on("connect", () => talk((command, args) => {
    socket.write(JSON.stringify({ command, ...args }) + "\n");
    return new Promise((resolve) => waiting.push(resolve));
  }, socket));
}

module.exports = { connect };
