"""The package on a bare Debian 12: installed, its service run as systemd would, upgraded, removed, purged."""
import json
import re

from tests.lib.postgres import free_port
from tests.lib.servers import ROOT
from tests.package.machine import WATCHDOG_SECONDS, Unit

SETTINGS = "/etc/orion/orion.toml"
DATA = "/var/lib/orion"
UNIT = "/lib/systemd/system/orion.service"


def set_port(machine):
    """In the administrator's way, with an editor."""
    port, path = free_port(), machine.path(SETTINGS)
    text, count = re.subn(r"(?m)^#(PREFECT_ORION_API_PORT = )4200$", rf"\g<1>{port}", path.read_text())
    assert count == 1
    path.write_text(text)
    return port


def names_of_flows(service):
    return [flow["name"] for flow in json.loads(service.request("/api/flows/filter", b"{}"))]


def test_from_installation_to_purge(machine, package, newer_package):
    # Installed.
    assert "takes the place" not in machine.install(package)
    assert machine.owner(DATA) == "orion:orion 0700"
    assert machine.owner(SETTINGS) == "root:orion 0640"
    assert machine.run("getent", "passwd", "orion").strip().endswith(f":{DATA}:/usr/sbin/nologin")
    assert "Orion 0." in machine.run("orion", "version")
    unit, port = Unit(machine.path(UNIT).read_text()), set_port(machine)
    assert unit.settings["Type"] == "notify" and unit.user == "orion"

    # Run.
    with machine.service(unit, port) as service:
        assert service.request("/api/health") == b"true"
        service.request("/api/flows/", b'{"name": "kept"}')
        for _ in range(4):
            service.manager.wait_for("WATCHDOG=1", 60 * WATCHDOG_SECONDS)
        assert b"<title>Prefect" in service.request("/")
        assert "chmod" not in service.log()  # no file is open to others
    assert machine.owner(f"{DATA}/orion.db") == "orion:orion 0600"

    # Its commands, by root.
    machine.run("orion", "--config", SETTINGS, "key", "create", "somebody")
    assert machine.owner(f"{DATA}/keys.toml") == "orion:orion 0600"
    machine.run("orion", "--config", SETTINGS, "key", "revoke", "--yes", "somebody")
    machine.run("orion", "config", "set", "ORION_LOG_ACCESS=true", "--config", SETTINGS)
    assert machine.owner(SETTINGS) == "root:orion 0640"
    settings = machine.path(SETTINGS).read_text()

    # Upgraded.
    machine.install(newer_package)
    assert machine.path(SETTINGS).read_text() == settings
    assert machine.owner(SETTINGS) == "root:orion 0640"
    with machine.service(unit, port) as service:
        assert names_of_flows(service) == ["kept"]
        assert "/api/flows/filter" in service.log()

    # Removed: what the administrator and the server have written stays.
    machine.apt("remove", "orion")
    assert machine.status() == "config-files"
    assert not machine.path("/usr/bin/orion").exists() and not machine.path(UNIT).exists()
    assert machine.path(SETTINGS).read_text() == settings
    assert machine.path(f"{DATA}/orion.db").exists()

    # Purged: nothing does, but the user, whose number other files may bear.
    machine.apt("purge", "orion")
    assert machine.status() == "not-installed"
    assert not machine.path("/etc/orion").exists() and not machine.path(DATA).exists()
    assert machine.run("getent", "passwd", "orion")


def test_a_unit_that_was_copied_by_hand(machine, package, files):
    """As the documentation said before there was a package: its program and its data are elsewhere."""
    by_hand, private = machine.path("/etc/systemd/system/orion.service"), machine.path("/var/lib/private/orion")
    by_hand.parent.mkdir(parents=True, exist_ok=True)
    by_hand.write_text((ROOT / "tests/package/by_hand.service").read_text())
    private.mkdir(parents=True)
    machine.path(DATA).symlink_to("private/orion")  # as DynamicUser= has it
    port = free_port()
    (private / "orion.toml").write_text(f"PREFECT_ORION_API_PORT = {port}\n")
    program = machine.path("/usr/local/bin/orion")
    program.write_bytes((files / "usr/bin/orion").read_bytes())
    program.chmod(0o755)

    output = machine.install(package)
    assert "/etc/systemd/system/orion.service takes the place of the unit in this package" in output
    assert f"does not read {DATA}/orion.toml: move its settings to {SETTINGS}" in output
    assert "/usr/local/bin/orion comes before /usr/bin/orion" in output
    assert machine.path(DATA).is_symlink()

    machine.run("chown", "-R", "orion:orion", "/var/lib/private/orion")  # as systemd does
    with machine.service(Unit(by_hand.read_text()), port) as service:
        assert service.request("/api/health") == b"true"
    assert "/var/lib/orion stays" in machine.apt("purge", "orion")
    assert (private / "orion.db").exists()
