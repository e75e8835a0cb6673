"""The dead-man's switch: changes are tried first, and a machine goes back by itself when omnid is gone."""

import signal
import time

from lab import eventually
from test_rotation import name


def in_work(status):
    """A control plane that tries a change in ROTATE."""
    return (name(status, "phase") == "ROTATION_PHASE_ROTATE"
            and any(name(machine, "state") == "MACHINE_ROTATION_STATE_VERIFYING"
                    and machine.control_plane for machine in status.machines))



def test_a_machine_goes_back_when_omnid_dies_in_its_trial_and_the_rotation_ends_all_the_same(
        new_lab):
    lab = new_lab(control_planes=1, workers=1, pace="brisk").start()
    lab.import_cluster()
    refused = lab.secret_rotate("talos-ca", "--yes", "--try-timeout", "5s")
    assert refused.returncode == 2 and "1 minute" in refused.stderr, refused
    started = lab.secret_rotate("kubernetes-ca", "--yes", "--wait=false", "--try-timeout", "1m")
    assert started.returncode == 0, started
    with lab.watch(cluster=lab.name) as watch:
        watch.until(in_work, 120)
        lab.stop(signal.SIGKILL)
    time.sleep(65)
    lab.start()
    eventually(lambda: name(lab.status(), "state") == "ROTATION_STATE_SUCCEEDED", 240)
    status = lab.status()
    assert all("config-persisted" in {check.name for check in machine.checks}
               for machine in status.machines), status

    whole = lab.secret_rotate("talos-ca", "--yes", "--try", seconds=240)
    assert whole.returncode == 0, whole
