"""Who holds credentials of the CA that a rotation retires is named in its status."""

import json

from lab import eventually


def test_the_holders_of_old_credentials_are_named_while_a_rotation_soaks_and_after_it(new_lab):
    lab = new_lab(control_planes=1, workers=1).start()
    lab.import_cluster()
    made = lab.omnictl("cluster", "-n", "demo", "talosconfig", "--role", "os:reader", "--output-file",
                       str(lab.directory / "old"))
    assert made.returncode == 0, made
    assert not lab.status().retiring_credentials
    begun = lab.secret_rotate("talos-ca", "--yes", "--soak-until-continued", "--wait=false")
    assert begun.returncode == 0, begun
    eventually(lambda: lab.status().state == lab.stubs.management.ROTATION_STATE_PAUSED, 60)
    held, = lab.status().retiring_credentials
    assert list(held.roles) == ["os:reader"] and held.serial and held.holder, held
    shown = lab.secret_rotate("status", "--wait=false").stdout
    assert f"{held.holder} (os:reader), ends " in shown, shown
    assert "1 talosconfig from the CA that goes" in shown, shown
    # What is issued now is of the CA that stays.
    lab.omnictl("cluster", "-n", "demo", "talosconfig", "--output-file", str(lab.directory / "new"))
    assert len(lab.status().retiring_credentials) == 1
    # As the audit log has it.
    entries = [json.loads(line) for line in lab.omnictl("audit", "-o", "json").stdout.splitlines()]
    assert held.serial in json.dumps(entries)
    lab.stop()
    lab.start()
    assert [one.serial for one in lab.status().retiring_credentials] == [held.serial]
    assert lab.secret_rotate("continue").returncode == 0
    assert lab.finish().state == lab.stubs.management.ROTATION_STATE_SUCCEEDED
    shown = lab.secret_rotate("status").stdout
    assert "credentials of the retired CA, refused now:" in shown and held.holder in shown, shown
