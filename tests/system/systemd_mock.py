"""A systemd that controls nothing: a template for python3-dbusmock.

    python3 -m dbusmock --system --template systemd_mock.py

What the manager answers is org.freedesktop.systemd1(5), as far as the agent uses it. Units
are added and made to misbehave over the interface CONTROL.
"""

import time

import dbus
from dbusmock import mockobject
from gi.repository import GLib

BUS_NAME = "org.freedesktop.systemd1"
MAIN_OBJ = "/org/freedesktop/systemd1"
MAIN_IFACE = "org.freedesktop.systemd1.Manager"
UNIT_IFACE = "org.freedesktop.systemd1.Unit"
SERVICE_IFACE = "org.freedesktop.systemd1.Service"
CONTROL = "test.Control"
SYSTEM_BUS = True

NEVER_HAD = dbus.UInt64(2**64 - 1)


def load(mock, _parameters):
    mock.units = {}
    mock.behaviours = {}
    mock.asked = []
    mock.last_job = 0


def error(name, text):
    return dbus.exceptions.DBusException(text, name=name)


def path_of(name):
    escaped = "".join(c if c.isalnum() else f"_{ord(c):02x}" for c in name)
    return f"{MAIN_OBJ}/unit/{escaped}"


def set_state(mock, name, active, state):
    unit = mock.units[name]
    unit["active"], unit["state"] = active, state
    now = dbus.UInt64(int(time.time() * 1e6))
    if not unit["broken"]:
        mockobject.objects[path_of(name)].UpdateProperties(UNIT_IFACE, {
            "ActiveEnterTimestamp" if active == "active" else "InactiveEnterTimestamp": now})


def description(mock, name):
    unit = mock.units[name]
    return dbus.Struct((name, unit["description"], unit["load"], unit["active"], unit["state"], "",
                        dbus.ObjectPath(path_of(name)), dbus.UInt32(0), "", dbus.ObjectPath("/")),
                       signature="ssssssouso")


@dbus.service.method(CONTROL, in_signature="ssssb")
def AddUnit(self, name, load_state, active, state, broken):
    """A broken unit has no properties."""
    self.units[name] = {"load": load_state, "active": active, "state": state, "broken": broken,
                        "description": f"The unit {name}"}
    if broken:
        return
    self.AddObject(path_of(name), UNIT_IFACE, {
        "ActiveEnterTimestamp": dbus.UInt64(1_700_000_000_250_000 if active == "active" else 0),
        "InactiveEnterTimestamp": dbus.UInt64(0),
        "InactiveExitTimestamp": dbus.UInt64(1_700_000_000_000_000),
        "ActiveExitTimestamp": dbus.UInt64(0),
    }, [])
    mockobject.objects[path_of(name)].AddProperties(SERVICE_IFACE, {
        "MemoryCurrent": dbus.UInt64(12_345_678) if active == "active" else NEVER_HAD,
        "CPUUsageNSec": dbus.UInt64(2_500_000_000) if active == "active" else NEVER_HAD,
        "NRestarts": dbus.UInt32(3),
    })


@dbus.service.method(CONTROL, in_signature="ss")
def Behave(self, name, behaviour):
    """`name` is a unit, or a method of the manager; an empty behaviour is the good one."""
    self.behaviours[name] = behaviour


@dbus.service.method(CONTROL, out_signature="as")
def Asked(self):
    return dbus.Array(self.asked, signature="s")


def answer_units(mock, method, names, on_reply, on_error):
    del on_error
    mock.asked.append(method)
    behaviour = mock.behaviours.get(method, "")
    if behaviour == "silent":
        return
    if behaviour == "nonsense":
        names = []
    units = dbus.Array([description(mock, name) for name in names], signature="(ssssssouso)")
    on_reply(units)


@dbus.service.method(MAIN_IFACE, in_signature="asas", out_signature="a(ssssssouso)",
                     async_callbacks=("on_reply", "on_error"))
def ListUnitsByPatterns(self, _states, patterns, on_reply, on_error):
    from fnmatch import fnmatchcase
    answer_units(self, "ListUnitsByPatterns",
                 [name for name in self.units if any(fnmatchcase(name, p) for p in patterns)],
                 on_reply, on_error)


@dbus.service.method(MAIN_IFACE, in_signature="as", out_signature="a(ssssssouso)",
                     async_callbacks=("on_reply", "on_error"))
def ListUnitsByNames(self, names, on_reply, on_error):
    for name in names:
        # The real one tells of every name, as "not-found" where there is no such unit.
        if name not in self.units:
            self.AddUnit(name, "not-found", "inactive", "dead", True)
    answer_units(self, "ListUnitsByNames", names, on_reply, on_error)


def job_end(mock, number, path, name, states, result):
    if states:
        set_state(mock, name, *states)
    mock.EmitSignal(MAIN_IFACE, "JobRemoved", "uoss", [number, path, name, result])
    return False


def job(mock, method, name, states, on_reply, on_error):
    mock.asked.append(f"{method} {name}")
    behaviour = mock.behaviours.get(name, "")
    if behaviour == "silent":
        return
    if behaviour == "denied":
        on_error(error("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
                       "Interactive authentication required."))
        return
    if behaviour == "masked":
        on_error(error("org.freedesktop.systemd1.UnitMasked", f"Unit {name} is masked."))
        return
    if name not in mock.units or mock.units[name]["load"] == "not-found":
        on_error(error("org.freedesktop.systemd1.NoSuchUnit", f"Unit {name} not found."))
        return
    mock.last_job += 1
    path = f"{MAIN_OBJ}/job/{mock.last_job}"
    end = [mock, dbus.UInt32(mock.last_job), dbus.ObjectPath(path), name]
    if behaviour == "early":
        job_end(*end, states, "done")
    on_reply(dbus.ObjectPath(path))
    if behaviour == "fails":
        GLib.timeout_add(20, job_end, *end, ("failed", "failed"), "failed")
    elif behaviour == "":
        # Somebody else's job is no concern of the agent's.
        job_end(mock, dbus.UInt32(9999), dbus.ObjectPath(f"{MAIN_OBJ}/job/9999"), name, None,
                "failed")
        GLib.timeout_add(20, job_end, *end, states, "done")


@dbus.service.method(MAIN_IFACE, in_signature="ss", out_signature="o",
                     async_callbacks=("on_reply", "on_error"))
def StartUnit(self, name, _mode, on_reply, on_error):
    job(self, f"StartUnit:{_mode}", name, ("active", "running"), on_reply, on_error)


@dbus.service.method(MAIN_IFACE, in_signature="ss", out_signature="o",
                     async_callbacks=("on_reply", "on_error"))
def StopUnit(self, name, _mode, on_reply, on_error):
    job(self, f"StopUnit:{_mode}", name, ("inactive", "dead"), on_reply, on_error)


@dbus.service.method(MAIN_IFACE, in_signature="ss", out_signature="o",
                     async_callbacks=("on_reply", "on_error"))
def RestartUnit(self, name, _mode, on_reply, on_error):
    job(self, f"RestartUnit:{_mode}", name, ("active", "running"), on_reply, on_error)
