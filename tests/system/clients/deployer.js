// Deploys a handler module and calls its commands on the same connection: plain `net`, no
// library of ours. Prints one JSON object with what it saw.
"use strict";

const net = require("net");

const port = Number(process.argv[2]);
const waiting = [];
let rest = "";

const code = `camera_state = {"recording": False}


def start_recording(command):
    camera_state["recording"] = True
    return {"success": True, "file": "/home/pi/recordings/" + command.get("name", "x") + ".h264"}


def stop_recording(command):
    was = camera_state["recording"]
    camera_state["recording"] = False
    return {"success": was}


def camera_status(command):
    return {"success": True, "state": camera_state, "type": "camera_status"}


COMMAND_HANDLERS = {
    "start_recording": start_recording,
    "stop_recording": stop_recording,
    "camera_status": camera_status,
}
`;

const socket = net.createConnection({ host: "127.0.0.1", port });
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

function send(command, args) {
  socket.write(JSON.stringify({ command, ...args }) + "\n");
  return new Promise((resolve) => waiting.push(resolve));
}

socket.on("connect", async () => {
  // Not awaited one by one: replies come in the order of the requests.
  const replies = await Promise.all([
    send("update_handler", { filename: "camera_handlers.py", code }),
    send("ping"),
  ]);
  const started = await send("start_recording", { name: "tor" });
  const status = await send("camera_status");
  const stopped = await send("stop_recording");
  const again = await send("stop_recording");
  console.log(JSON.stringify({ updated: replies[0], pong: replies[1], started, status, stopped, again }));
  socket.end();
});
