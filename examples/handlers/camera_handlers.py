"""camera_handlers.py - records with the camera: commands of a handler module in Python.

    $ pifleet deploy camera_handlers.py
    $ pifleet call start_recording name=door
    $ pifleet call camera_status
    $ pifleet call stop_recording

The recorder is a process of its own. It goes on when the command has been answered, and
ends when it is stopped, or when the module is replaced.
"""

import os
import shutil
import subprocess
import time

FOLDER = "/home/pi/recordings"
# The first that is installed: Debian 13's name, Debian 12's, and that of older systems.
RECORDERS = ("rpicam-vid", "libcamera-vid", "raspivid")
STOP_SECONDS = 5

# Lives as long as the module is deployed.
camera_state = {"recording": False, "file": None, "started": None, "recorder": None}


def find_recorder():
    for name in RECORDERS:
        if shutil.which(name):
            return name
    return None


def is_recording():
    """Whether the recorder still runs: it may have ended by itself."""
    recorder = camera_state["recorder"]
    if recorder is not None and recorder.poll() is not None:
        camera_state.update(recording=False, recorder=None)
    return camera_state["recording"]


def start_recording(request):
    """Starts a recording: name (recording), seconds (0: until it is stopped)."""
    if is_recording():
        return {"success": False, "error": f"already recording {camera_state['file']}"}
    program = find_recorder()
    if program is None:
        return {"success": False, "error": "no recorder is installed: apt install rpicam-apps"}

    os.makedirs(FOLDER, exist_ok=True)
    name = os.path.basename(str(request.get("name", "recording")))
    path = os.path.join(FOLDER, f"{name}_{time.strftime('%Y%m%d_%H%M%S')}.h264")
    milliseconds = int(float(request.get("seconds", 0)) * 1000)
    recorder = subprocess.Popen([program, "-t", str(milliseconds), "-o", path],
                                stdin=subprocess.DEVNULL)
    camera_state.update(recording=True, file=path, started=time.time(), recorder=recorder)
    print(f"recording {path} with {program}, process {recorder.pid}")
    return {"success": True, "file": path, "pid": recorder.pid}


def stop_recording(request):
    """Stops the recording."""
    if not is_recording():
        return {"success": False, "error": "nothing is being recorded"}
    # Recorders finish their file on SIGINT. Only processes of this module are reached.
    subprocess.run(["pkill", "-INT", "-x", os.path.basename(camera_state["recorder"].args[0])],
                   check=False)
    recorder = camera_state["recorder"]
    try:
        recorder.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        recorder.kill()
        recorder.wait()
    path = camera_state["file"]
    camera_state.update(recording=False, recorder=None)
    size = os.path.getsize(path) if os.path.exists(path) else 0
    return {"success": True, "file": path, "size": size,
            "duration": round(time.time() - camera_state["started"], 1)}


def camera_status(request):
    """What the camera does now, and what there is of recordings."""
    files = sorted(os.listdir(FOLDER)) if os.path.isdir(FOLDER) else []
    return {"success": True, "recording": is_recording(), "file": camera_state["file"],
            "recorder": find_recorder(), "recordings": files[-20:]}


COMMAND_HANDLERS = {
    "start_recording": start_recording,
    "stop_recording": stop_recording,
    "camera_status": camera_status,
}
