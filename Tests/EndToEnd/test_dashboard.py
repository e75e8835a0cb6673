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
        return re.search(r"set-cookie: (__Host-omnid-session=[^;]+);", head).group(1)


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
