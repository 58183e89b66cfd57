// Deploys a handler module and calls its commands on the same connection: plain `net`, no
// library of ours. Prints one JSON object with what it saw.
"use strict";

const { connect } = require("./line-socket");

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

connect(Number(process.argv[2]), async (send, socket) => {
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
