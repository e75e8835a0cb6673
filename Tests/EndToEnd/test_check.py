"""`omnictl check`."""

import json

import pytest

from lab import eventually


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


def test_a_cluster_whose_control_planes_do_not_answer_is_told_of_without_a_flag(lab):
    lab.start()
    lab.import_cluster()
    plane = lab.control_planes[0].name

    def findings():
        listed = lab.omnictl("check", "-o", "json")
        return [each for each in json.loads(listed.stdout)["findings"] if each["what"] == "warning"], listed.returncode

    assert findings()[0] == []
    lab.switch(plane, "stop")
    # Machines are asked every 30 seconds.
    found, code = eventually(lambda: findings() if findings()[0] else None, seconds=120, every=2)
    assert code == 1 and "no control plane could be asked" in found[0]["detail"] and plane in found[0]["detail"], found
    lab.switch(plane, "start")
    eventually(lambda: not findings()[0], seconds=120, every=2)
