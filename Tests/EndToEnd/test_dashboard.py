"""The dashboard, in a browser: how it is opened, what it shows of a rotation that goes on, and who is kept out."""

import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import time

import axe_core_python
import pytest

from browser import Browser
from lab import eventually

AXE = (pathlib.Path(axe_core_python.__file__).parent / "axe.min.js").read_text()
SERVICE = "/omni.management.v1.ManagementService/"
# Where pictures go for whoever wants to look at them.
PICTURES = os.environ.get("OMNID_DASHBOARD_PICTURES")


class Dashboard:
    """A lab whose omnid serves the dashboard, and links to it."""

    def __init__(self, lab):
        self.lab = lab
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.origin = f"https://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        self.lab.start("--listen", f"tls:127.0.0.1:{self.port}")

    def link(self):
        done = self.lab.omnictl("dashboard")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def curl(self, method, body="{}", *flags, path=SERVICE):
        """(HTTP status, head, body) of a call as a browser would make it."""
        done = subprocess.run(
            ["curl", "-sk", "--max-time", "20", "-D", "-", "-H", "content-type: application/json", *flags, "-d", body,
             f"{self.origin}{path}{method}"], capture_output=True, text=True, check=True)
        head, _, text = done.stdout.replace("\r", "").partition("\n\n")
        return int(head.split()[1]), head, text

    def session(self):
        """The cookie of a new session."""
        status, head, text = self.curl(
            "OpenDashboardSession", json.dumps({"code": self.link().split("#")[1]}), "-H", f"origin: {self.origin}")
        assert status == 200, text
        return re.search(r"set-cookie: (__Host-omnid-session-[0-9a-f]{8}=[^;]+);", head).group(1)


@pytest.fixture(scope="module")
def browser():
    browser = Browser("--ignore-certificate-errors")
    yield browser
    browser.close()


@pytest.fixture
def dashboard(new_lab):
    lab = new_lab(control_planes=3, workers=2)
    dashboard = Dashboard(lab)
    lab.import_cluster()
    return dashboard


def opened(dashboard, browser, **options):
    page = browser.page(dashboard.link(), **options)
    page.press("Open the dashboard")
    page.wait_text("Clusters")
    page.wait("document.querySelector('#connection').innerText === 'live'")
    return page


def look(page, name):
    """Asks axe of the page, and keeps a picture."""
    if PICTURES:
        page.picture(f"{PICTURES}/{name}.png")
    assert page.audit(AXE) == []


def test_a_link_opens_the_dashboard_once(dashboard, browser):
    link = dashboard.link()
    assert re.fullmatch(rf"{dashboard.origin}/login#omnidlink_[\w-]{{43}}", link)
    page = browser.page(link)
    page.wait("document.querySelector('#open').disabled === false")
    # Opening the page alone uses nothing up, and the code is out of the address at once.
    assert page.run("location.href") == f"{dashboard.origin}/login"
    look(page, "login")
    page.press("Open the dashboard")
    page.wait_text(dashboard.lab.name)
    assert "uid:" in page.text("#caller") and "operator" in page.text("#caller")
    assert page.run("document.cookie") == "", "a script can read the cookie"
    assert page.complaints == []
    # The code was in no address that a server or a proxy would log.
    assert not [request for request in page.requests if "omnidlink_" in request["url"]]
    again = browser.page(link)
    again.press("Open the dashboard")
    again.wait_text("works once")
    look(again, "login-refused")
    assert "omnidlink_" not in dashboard.lab.log() and "omnidsession_" not in dashboard.lab.log()


def test_all_clusters_are_shown_and_a_rotation_arrives_by_itself(dashboard, browser):
    lab = dashboard.lab
    page = opened(dashboard, browser)
    page.wait_text("Never rotated")
    assert "tainted-by-importing" in page.text("main") and "days" in page.text("main")
    look(page, "clusters-idle")
    page.requests.clear()
    lab.rotate("TALOS_CA")
    page.wait_text("Rotating")
    lab.finish()
    page.wait_text("Rotated", seconds=30)
    assert re.search(r"\d\d:\d\d:\d\d", page.text("td.refused"))
    calls = [request["url"].rsplit("/", 1)[1] for request in page.requests]
    # The record is read anew at the turns of a rotation; nothing asks again and again.
    assert len(calls) <= 8 and "GetRotationStatus" not in calls, calls
    look(page, "clusters-rotated")
    assert page.complaints == []


def test_the_clusters_fit_a_phone_and_a_light_room(dashboard, browser):
    page = opened(dashboard, browser, width=360, height=740, scheme="light")
    page.wait_text("Never rotated")
    assert page.run("document.documentElement.scrollWidth") <= 360
    look(page, "clusters-phone-light")


def test_a_session_is_over_when_omnid_was_restarted_and_the_page_says_so(dashboard, browser):
    page = opened(dashboard, browser)
    page.wait_text("Never rotated")
    dashboard.lab.stop()
    page.wait_text("Not connected since", "#stale")
    assert "What you see is from" in page.text("#stale")
    assert "Never rotated" in page.text("main"), "what was seen last is gone"
    look(page, "not-connected")
    dashboard.start()
    page.wait_text("omnictl dashboard", seconds=40)
    assert "omnid was started anew" in page.text("main")
    look(page, "no-session")


def test_a_session_can_be_ended(dashboard, browser):
    page = opened(dashboard, browser)
    page.press("End session")
    page.wait_text("There is no session")
    page.go(f"{dashboard.origin}/")
    page.wait_text("There is no session")


def test_a_cookie_is_good_for_the_own_page_alone(dashboard):
    cookie = ("-H", f"cookie: {dashboard.session()}")
    own = ("-H", "sec-fetch-site: same-origin")
    assert dashboard.curl("ListClusters", "{}", *cookie, *own)[0] == 200
    for fields in ([], ["sec-fetch-site: cross-site"], ["sec-fetch-site: same-site"], ["origin: https://evil.example"],
                   ["sec-fetch-site: none"]):
        flags = [flag for field in fields for flag in ("-H", field)]
        status, _, text = dashboard.curl("ListClusters", "{}", *cookie, *flags)
        assert status == 401 and json.loads(text)["code"] == "unauthenticated", fields
    # Nor by a GET, as an image's address or a link makes one.
    done = subprocess.run(
        ["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", *cookie, "-H", "sec-fetch-site: cross-site",
         f"{dashboard.origin}{SERVICE}ListClusters?encoding=json&message=%7B%7D&connect=v1"],
        capture_output=True, text=True, check=True)
    assert done.stdout == "401"


def test_a_session_may_do_at_most_what_an_operator_may(dashboard):
    flags = ("-H", f"cookie: {dashboard.session()}", "-H", "sec-fetch-site: same-origin")
    for method, body in (
            ("Talosconfig", {"cluster": "demo"}), ("ExportSecrets", {"cluster": "demo"}),
            ("IssueToken", {"name": "x", "role": "ACCESS_ROLE_ADMIN"}), ("ForgetCluster", {"cluster": "demo"}),
            ("CreateDashboardLink", {})):
        status, _, text = dashboard.curl(method, json.dumps(body), *flags)
        assert status == 403, f"{method}: {text}"
    assert dashboard.curl("LockCluster", '{"cluster":"demo","reason":"x"}', *flags)[0] == 200
    entries = dashboard.lab.omnictl("audit").stdout
    assert "via dashboard" in entries
    assert dashboard.lab.call("GetCluster", cluster="demo").cluster.lock.locked_by.endswith(" via dashboard")


def test_whoever_is_revoked_loses_the_sessions_too(dashboard, browser):
    lab = dashboard.lab
    roles = lab.stubs.management
    token = lab.call("IssueToken", name="ci", role=roles.ACCESS_ROLE_READER, clusters=["demo"])
    answer = dashboard.curl("CreateDashboardLink", "{}", "-H", f"authorization: Bearer {token.token}")
    page = browser.page(json.loads(answer[2])["urls"][0])
    page.press("Open the dashboard")
    page.wait_text("Never rotated")
    assert "reader" in page.text("#caller")
    lab.call("RevokeAccess", id=token.grant.id)
    # Its stream is ended; nothing has to be asked for it.
    page.wait_text("There is no session")


def test_links_without_a_tls_listener_are_refused_with_the_flag_to_add(new_lab):
    lab = new_lab(control_planes=1, workers=0).start()
    done = lab.omnictl("dashboard")
    assert done.returncode == 3 and "--listen tls:127.0.0.1:8443" in done.stderr


def cluster_page(dashboard, browser, **options):
    page = opened(dashboard, browser, **options)
    page.click(f'a[href="#/clusters/{dashboard.lab.name}"]')
    page.wait_text("Never rotated")
    return page


def test_a_rotation_is_seen_machine_by_machine_while_it_goes_on(new_lab, browser):
    lab = new_lab(control_planes=3, workers=2, pace="brisk")
    dashboard = Dashboard(lab)
    lab.import_cluster()
    phone = cluster_page(dashboard, browser, width=360, height=740, scheme="light")
    page = cluster_page(dashboard, browser)
    look(page, "cluster-idle")
    page.requests.clear()
    page.run("""
      window.heard = [];
      new MutationObserver(() => heard.push(document.querySelector('#announcer').textContent))
        .observe(document.querySelector('#announcer'), {childList: true, characterData: true, subtree: true});
      window.seen = {};
      setInterval(() => {
        for (const stage of document.querySelectorAll('.stage')) {
          for (const tile of stage.querySelectorAll('.tiles .tile')) {
            const kind = tile.className.split(' ')[1];
            (seen[`${stage.getAttribute('aria-label')} ${kind}`] ??= new Set()).add(tile.dataset.machine);
          }
        }
      }, 20)""")
    lab.rotate("TALOS_CA", cause=lab.stubs.management.ROTATION_CAUSE_LEAKED_TALOSCONFIG, reason="laptop <b>lost</b>",
               max_parallel_workers=1)
    page.wait_text("The leaked credential still works on 5 of 5 machines", "#exposure")
    page.wait("document.querySelector('.stage[data-current] .tile.done') !== null")
    look(page, "cluster-rotating")
    phone.front()
    phone.wait("document.querySelector('.stage[data-current]') !== null")
    assert phone.run("document.documentElement.scrollWidth") <= 360
    look(phone, "cluster-rotating-phone")
    page.front()
    page.wait("/works on [1-4] of 5 machines/.test(document.querySelector('#exposure').innerText)", seconds=120)
    look(page, "cluster-dropping")
    page.wait_text("The leaked credential is refused by every machine since", "#exposure", seconds=120)
    assert lab.status().state == lab.stubs.management.ROTATION_STATE_SUCCEEDED
    look(page, "cluster-rotated")
    seen = page.run("Object.fromEntries(Object.entries(seen).map(([key, machines]) => [key, machines.size]))")
    for stage in ("PRE_ROTATE", "ROTATE", "POST_ROTATE"):
        # The first machine's turn may have begun before the page was drawn.
        assert seen[f"Stage {stage} done"] == 5 and seen[f"Stage {stage} pending"] >= 4, seen
    assert any("applying" in key for key in seen), seen
    heard = page.run("heard")
    assert any("ROTATE" in text for text in heard) and len(heard) < 12, "stages are told, and not each machine"
    calls = [request["url"].rsplit("/", 1)[1] for request in page.requests]
    assert len(calls) < 12, f"the page asks again and again: {calls}"
    assert "laptop <b>lost</b>" in page.text("main")
    assert page.complaints == [] and phone.complaints == []


def test_a_machine_that_is_waited_for_is_named_with_what_can_be_done(dashboard, browser):
    lab = dashboard.lab
    page = cluster_page(dashboard, browser)
    lab.rotate_without("demo-worker-1")
    page.wait_text("Waiting for 1 machine", seconds=60)
    page.wait_text("not reachable", ".cards")
    assert "Port 50000" in page.text(".cards")
    page.wait("document.querySelector('.tile.waiting[data-machine=\"demo-worker-1\"]') !== null")
    page.click('.stage[data-current] .tile[data-machine="demo-worker-1"]')
    page.wait_text("demo-worker-1", ".machine")
    assert page.run("document.querySelector('.stage[data-current] [aria-pressed=true]').dataset.machine") == "demo-worker-1"
    look(page, "cluster-waiting")
    page.go(f"{dashboard.origin}/#/")
    page.wait("/demo-worker-1/.test(document.querySelector('td.wait')?.innerText)")
    look(page, "clusters-waiting")
    lab.switch("demo-worker-1", "start")
    page.wait_text("Rotated", seconds=90)


def test_the_tiles_are_walked_through_with_the_keyboard(dashboard, browser):
    lab = dashboard.lab
    lab.rotate("TALOS_CA")
    lab.finish()
    page = opened(dashboard, browser)
    page.go(f"{dashboard.origin}/#/clusters/{lab.name}")
    page.wait("document.querySelectorAll('.stage').length === 3")
    page.wait("document.querySelectorAll('.tiles button[tabindex=\"0\"]').length === 6")
    page.run("document.querySelector('.tiles button').focus()")
    first = page.run("document.activeElement.dataset.machine")
    page.key("ArrowRight")
    second = page.run("document.activeElement.dataset.machine")
    assert first != second
    page.key("Enter")
    page.wait_text(second, ".machine")
    page.go("about:blank")
    page.go(f"{dashboard.origin}/#/clusters/{lab.name}")
    page.wait("document.querySelectorAll('.stage').length === 3")
    page.key("Tab")
    assert page.run("document.activeElement.className") == "skip"
    page.key("Enter")
    assert page.run("document.activeElement.id") == "main"
    assert page.run("location.hash").startswith("#/clusters/"), "the link has left the view"


def test_what_machines_and_people_write_stays_text(dashboard, browser):
    """A name, a reason, an error: whoever can write one must not write the page."""
    lab = dashboard.lab
    hostile = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
    lab.call("LockCluster", cluster=lab.name, reason=hostile)
    page = opened(dashboard, browser)
    page.go(f"{dashboard.origin}/#/clusters/{lab.name}")
    page.wait_text(hostile)
    page.press("Unlock")
    page.wait_text(hostile, "dialog")
    assert page.run("document.title") != "taken"
    assert page.run("document.querySelector('main img, main script, dialog img')") is None
    # And where a script had come in all the same, the policy would keep it from running.
    page.run("(() => { const script = document.createElement('p'); try { script.innerHTML = '<b>x</b>'; } catch { "
             "document.body.dataset.refused = 'yes'; } })()")
    assert page.run("document.body.dataset.refused") == "yes"


def test_a_rotation_is_started_paused_and_aborted_with_confirmation(dashboard, browser):
    lab = dashboard.lab
    page = cluster_page(dashboard, browser)
    page.press("Rotate a CA")
    page.fill("#cause", "ROTATION_CAUSE_ROUTINE")
    page.fill("#reason", "a drill")
    page.run("document.querySelector('#soak').click()")
    look(page, "dialog-start")
    page.press("Look first")
    page.wait_text("The machines are ready", "dialog", seconds=60)
    assert not lab.status().rotation_id, "looking has begun a rotation"
    assert page.run("document.querySelector('dialog button[type=submit]').disabled"), "not confirmed and enabled"
    page.fill("#typed", "dem")
    assert page.run("document.querySelector('dialog button[type=submit]').disabled")
    page.fill("#typed", "demo")
    look(page, "dialog-confirm")
    page.press("Start")
    page.wait_text("Paused", seconds=90)
    page.wait_text("Drop the old CA now", ".buttons")
    status = lab.status()
    assert status.requester.endswith(" via dashboard") and status.reason == "a drill"
    look(page, "cluster-soaking")
    page.press("Pause")
    page.fill("#reason", "lunch")
    page.press("Pause")
    page.wait_text("lunch")
    assert lab.status().lock.reason == "lunch"
    page.press("Unlock")
    page.press("Unlock")
    page.wait("![...document.querySelectorAll('.buttons button')].some((button) => button.innerText === 'Unlock')")
    page.press("Abort")
    page.fill("#typed", "demo")
    page.press("Abort")
    page.wait_text("Aborted", seconds=90)
    assert lab.status().state == lab.stubs.management.ROTATION_STATE_ABORTED
    look(page, "cluster-aborted")
    assert page.complaints == []


def test_a_start_that_is_refused_names_what_was_found(dashboard, browser):
    lab = dashboard.lab
    page = cluster_page(dashboard, browser)
    lab.switch("demo-worker-2", "stop")
    page.press("Rotate a CA")
    page.press("Look first")
    page.wait_text("MACHINE_UNREACHABLE", "dialog", seconds=90)
    assert "demo-worker-2" in page.text("dialog")
    look(page, "dialog-refused")
    page.key("Escape")
    page.wait("document.querySelector('dialog') === null")


def test_a_start_goes_on_in_spite_of_a_finding_when_that_is_said(dashboard, browser):
    lab = dashboard.lab
    page = cluster_page(dashboard, browser)
    lab.control_call("POST", "nodes/demo-worker-2/foreign-ca?component=talos")
    page.press("Rotate a CA")
    assert not page.run("document.querySelector('.allowances').checkVisibility()")
    page.press("Look first")
    page.wait_text("FOREIGN_CA", "dialog", seconds=90)
    page.wait_text("Take the foreign CAs out of every trust list", ".allowances")
    look(page, "dialog-allowances")
    page.click("#removeForeign")
    page.press("Look first")
    page.wait_text("in spite of what was found", "dialog", seconds=90)
    page.wait_text("Take the foreign CAs out of every trust list", "dialog")
    look(page, "dialog-in-spite")
    page.fill("#typed", "demo")
    page.press("Start")
    page.wait_text("Rotated", seconds=120)
    assert lab.status().state == lab.stubs.management.ROTATION_STATE_SUCCEEDED


def test_a_machine_is_locked_and_unlocked_where_it_is_looked_at(dashboard, browser):
    lab = dashboard.lab
    lab.rotate("TALOS_CA")
    lab.finish()

    def lock():
        machines = lab.call("GetCluster", cluster=lab.name).cluster.machines
        return next(machine for machine in machines if machine.name == "demo-worker-1").lock

    page = opened(dashboard, browser)
    page.go(f"{dashboard.origin}/#/clusters/{lab.name}")
    page.click('.tile[data-machine="demo-worker-1"]')
    page.press("Lock this machine")
    page.fill("#reason", "its disk is being replaced")
    look(page, "dialog-lock-machine")
    page.press("Lock")
    page.wait_text("its disk is being replaced", ".machine")
    assert lock().reason == "its disk is being replaced"
    look(page, "cluster-machine-locked")
    page.press("Unlock this machine")
    page.press("Unlock")
    page.wait("!document.querySelector('.machine').innerText.includes('its disk')")
    assert not lock().locked_by


def test_a_retired_ca_that_is_back_is_named_and_taken_out(dashboard, browser):
    lab = dashboard.lab
    before = lab.control_call("GET", "nodes/demo-worker-1/config")
    lab.rotate("TALOS_CA")
    lab.finish()
    page = opened(dashboard, browser)
    page.go(f"{dashboard.origin}/#/clusters/{lab.name}")
    page.wait_text("Rotated")
    assert "retired CA is back" not in page.text("main")
    lab.control_call("POST", "nodes/demo-worker-1/write", before)
    # It is seen where the page is looked at, without a key being pressed.
    page.wait_text("retired CA is back", seconds=120)
    page.wait_text("demo-worker-1: ")
    look(page, "cluster-retired-back")
    page.press("Take over")
    page.fill("#way", "heal")
    look(page, "dialog-take-over")
    page.press("Look first")
    page.wait("document.querySelector('dialog #typed') !== null", 90)
    page.wait_text("Take out retired CAs", "dialog")
    page.wait_text("demo-worker-1: prepared", "dialog")
    look(page, "dialog-take-over-confirm")
    page.fill("#typed", "demo")
    page.run("document.querySelector('dialog button[type=submit]').click()")
    page.wait("!document.querySelector('main').innerText.includes('retired CA is back')", 180)
    eventually(lambda: not lab.status().returned_cas)


def test_a_mark_that_is_set_without_a_rotation_is_seen_at_once(dashboard, browser):
    lab = dashboard.lab
    page = cluster_page(dashboard, browser)
    page.wait_text("tainted-by-importing")
    assert "tainted-by-break-glass" not in page.text("main")
    lab.call("Kubeconfig", cluster=lab.name, break_glass=True)
    page.wait_text("tainted-by-break-glass")
    # After a rotation there is a status, which a mark leaves as it is.
    for component in ("TALOS_CA", "KUBERNETES_CA"):
        lab.rotate(component)
        lab.finish()
    page.wait("!document.querySelector('main').innerText.includes('tainted-by-break-glass')", 60)
    lab.call("Kubeconfig", cluster=lab.name, break_glass=True)
    page.wait_text("tainted-by-break-glass")
    page.go(f"{dashboard.origin}/#/")
    page.wait_text("tainted-by-break-glass")
    assert page.complaints == []


def test_where_nothing_was_left_half_done_there_is_nothing_to_take_over(dashboard, browser):
    page = cluster_page(dashboard, browser)
    page.press("Take over")
    page.press("Look first")
    page.wait_text("No rotation was left half done", "dialog", seconds=90)
    page.press("Close")
    page.wait("document.querySelector('dialog') === null")
    assert not dashboard.lab.status().rotation_id


def test_who_goes_on_with_the_retired_root_is_listed_with_what_to_do(dashboard, browser):
    lab = dashboard.lab
    page = cluster_page(dashboard, browser)
    lab.rotate("KUBERNETES_CA")
    lab.finish()
    page.wait_text("Who goes on with what was retired", seconds=120)
    page.wait_text("kube-system/daemonset/kube-proxy, 5 pods", seconds=120)
    page.wait_text("kubectl -n kube-system rollout restart daemonset/kube-proxy")
    look(page, "cluster-stale-trust")


def test_a_reader_has_no_buttons_and_the_server_refuses_all_the_same(dashboard, browser):
    lab = dashboard.lab
    token = lab.call("IssueToken", name="ci", role=lab.stubs.management.ACCESS_ROLE_READER)
    answer = dashboard.curl("CreateDashboardLink", "{}", "-H", f"authorization: Bearer {token.token}")
    page = browser.page(json.loads(answer[2])["urls"][0])
    page.press("Open the dashboard")
    page.click(f'a[href="#/clusters/{lab.name}"]')
    page.wait_text("Your role is reader")
    assert page.run("document.querySelectorAll('.heading button').length") == 0
    status = page.run(f"fetch('{SERVICE}LockCluster', {{method: 'POST', headers: {{'content-type': 'application/json'}}, "
                      "body: '{\"cluster\":\"demo\"}'}).then((response) => response.status)")
    assert status == 403


def test_a_rotation_that_is_over_has_a_record_with_the_signed_report(dashboard, browser, tmp_path):
    lab = dashboard.lab
    lab.rotate("KUBERNETES_CA", reason="yearly")
    rotation = lab.finish().rotation_id
    page = opened(dashboard, browser)
    page.go(f"{dashboard.origin}/#/clusters/{lab.name}")
    page.click(f'a[href="#/clusters/{lab.name}/rotations/{rotation}"]')
    page.wait_text("The old CA is refused by every machine since")
    page.wait_text("Save the report")
    assert page.run("document.querySelectorAll('.timeline tbody tr').length") == 5
    assert page.run("document.querySelectorAll('.timeline .bar.POST_ROTATE').length") >= 5
    assert page.run("document.querySelectorAll('.matrix tbody tr').length") == 5
    assert "old-refused" in page.run("document.querySelector('.matrix thead').textContent")
    look(page, "record")
    page.size(360, 740)
    page.scheme("light")
    assert page.run("document.documentElement.scrollWidth") <= 360
    look(page, "record-phone")
    # The address is a permalink: somebody else's tab shows the same.
    again = browser.page(page.run("location.href"))
    again.wait_text("Save the report")
    report = again.run("document.querySelector('pre.report').textContent")
    assert report == lab.call("GetRotationReport", cluster=lab.name, rotation_id=rotation).report
    (tmp_path / "report.txt").write_text(report)
    assert lab.omnictl("report", "verify", str(tmp_path / "report.txt")).returncode == 0
    again.go(f"{dashboard.origin}/#/clusters/{lab.name}/rotations/none")
    again.wait_text("no such rotation")
    assert page.complaints == [] and again.complaints == []


def test_a_credential_is_checked_in_the_browser_and_stays_there(dashboard, browser):
    lab = dashboard.lab
    page = opened(dashboard, browser)
    page.click('a[href="#/credential"]')
    page.wait_text("The file stays in this browser")
    page.requests.clear()

    def check(text, words, kind):
        page.fill("#paste", text)
        page.wait_text(words, "#result")
        assert page.run(f"document.querySelector('#result .banner.{kind}') !== null")

    check(lab.kubeconfig, "It works: the Kubernetes CA of demo is in use", "error")
    assert "proven by its signature" in page.text("#result")
    look(page, "credential-works")
    check(lab.talosconfig, "It works: the Talos CA of demo is in use", "error")
    lab.rotate("KUBERNETES_CA")
    lab.finish()
    page.go("about:blank")
    page.go(f"{dashboard.origin}/#/credential")
    page.wait("document.querySelector('#paste') !== null")
    page.wait("document.querySelector('#connection').innerText === 'live'")
    check(lab.kubeconfig, "Its CA is retired", "good")
    assert "Every machine refuses it since" in page.text("#result")
    look(page, "credential-retired")
    check(lab.talosconfig, "It works", "error")
    check("not a kubeconfig", "There is no client certificate", "error")
    check("client-certificate-data: AAAA", "There is no client certificate", "error")
    broken = "-----BEGIN CERTIFICATE-----\nMIIBAA==\n-----END CERTIFICATE-----"
    check(broken, "damaged", "error")
    sent = "".join(json.dumps(request) for request in page.requests)
    for secret in re.findall(r"(?:client-key-data|client-certificate-data|key|crt): (\S+)", lab.kubeconfig + lab.talosconfig):
        assert secret[:60] not in sent
    # Asking the machines sends the certificate, on demand, and never the key.
    page.fill("#paste", lab.talosconfig)
    page.press("Ask the machines, with the certificate alone")
    page.wait_text("5 machines of 5 of demo let it in now", "#result", seconds=40)
    sent = "".join(request.get("postData", "") for request in page.requests)
    assert "BEGIN CERTIFICATE" in sent and "PRIVATE" not in sent
    assert page.complaints == []


def test_a_thousand_machines_are_drawn_in_a_moment_and_only_changes_again(dashboard, browser):
    page = opened(dashboard, browser)
    page.go(f"{dashboard.origin}/#/clusters/{dashboard.lab.name}")
    page.wait_text("Never rotated")
    took = page.run("""
      (async () => {
        const { Stages } = await import("/dashboard/tiles.js");
        const machines = new Map();
        for (let index = 0; index < 1000; index++) {
          const machine = `worker-${index}`;
          machines.set(machine, {machine, controlPlane: index < 5, phase: "ROTATION_PHASE_ROTATE",
            state: `MACHINE_ROTATION_STATE_${index < 300 ? "DONE" : index < 310 ? "APPLYING" : "PENDING"}`});
        }
        const status = {machines, state: "ROTATION_STATE_RUNNING", phase: "ROTATION_PHASE_ROTATE"};
        const stages = new Stages(() => {});
        document.querySelector(".stages").replaceWith(stages.element);
        const timed = (body) => { const start = performance.now(); body(); document.body.offsetHeight; return performance.now() - start; };
        const first = timed(() => stages.draw(status, ""));
        const changes = [];
        new MutationObserver((list) => changes.push(...list)).observe(stages.element, {subtree: true, childList: true, attributes: true, characterData: true});
        machines.set("worker-300", {...machines.get("worker-300"), state: "MACHINE_ROTATION_STATE_DONE"});
        const again = timed(() => stages.draw(status, ""));
        await new Promise((resolve) => setTimeout(resolve));
        return {first, again, changes: changes.length, tiles: document.querySelectorAll(".tiles button").length};
      })()""")
    print(took)
    assert took["tiles"] == 3000
    # One tile's class, title, sign and words, and the stage's count and bar.
    assert took["changes"] <= 10, took
    assert took["first"] < 3000 and took["again"] < 300, took
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    look(page, "thousand")
