"""`omnictl check`."""

import json

import pytest


@pytest.fixture
def lab(new_lab):
    return new_lab(control_planes=1, workers=1)


def test_what_has_to_be_done_is_listed_and_the_exit_code_says_whether_anything_has(lab):
    lab.start()
    empty = lab.omnictl("check")
    assert empty.returncode == 0 and empty.stdout == "nothing has to be done about 0 clusters\n"
    lab.import_cluster()
    found = lab.omnictl("check", "-o", "json")
    assert found.returncode == 1
    assert [(each["cluster"], each["what"], each["subject"]) for each in json.loads(found.stdout)["findings"]] == [
        ("demo", "mark", "tainted-by-importing")]
    soon = lab.omnictl("check", "--expires-within", "876000h")
    assert soon.returncode == 1 and soon.stdout.count("expiry") == 2, soon
    lab.secret_rotate("talos-ca", "--yes")
    lab.secret_rotate("kubernetes-ca", "--yes")
    left = json.loads(lab.omnictl("check", "-o", "json").stdout)["findings"]
    # The simulator's system pods go on with the old root until somebody restarts them.
    assert {each["what"] for each in left} <= {"stale-trust"}, left
    worker = lab.workers[0].name
    lab.switch(worker, "stop")
    asked = lab.omnictl("check", "--machines", "-o", "json")
    assert asked.returncode == 1
    assert any(each["what"] == "machines" and worker in each["subject"] + each["detail"]
               for each in json.loads(asked.stdout)["findings"]), asked
