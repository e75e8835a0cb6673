"""Headless Chromium, driven by its own protocol over a pipe (Chrome DevTools Protocol)."""

import base64
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import time

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    """A browser with a profile of its own, gone when it is closed.

    What a page complains of (scripts that fail, what its Content-Security-Policy has kept from it) is kept in
    `complaints` of the page.
    """

    def __init__(self, *flags):
        self.profile = tempfile.mkdtemp(prefix="chromium-")
        requests, self.requests = os.pipe()
        self.answers, answers = os.pipe()

        def settle():
            # The browser reads descriptor 3 and writes descriptor 4; the copies come first, since one may be the other.
            source, sink = os.dup(requests), os.dup(answers)
            os.dup2(source, 3)
            os.dup2(sink, 4)

        self.process = subprocess.Popen(
            [PROGRAM, "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={self.profile}", "--no-sandbox",
             "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-background-networking",
             "--hide-scrollbars", "--disable-dev-shm-usage", *flags, "about:blank"],
            preexec_fn=settle, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(requests)
        os.close(answers)
        self.number = 0
        self.waiting = {}
        self.pages = {}
        self.lock = threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()

    def close(self):
        try:
            self.call("Browser.close")
        except (OSError, AssertionError):
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.requests)
        shutil.rmtree(self.profile, ignore_errors=True)

    def _read(self):
        rest = b""
        while True:
            try:
                piece = os.read(self.answers, 1 << 16)
            except OSError:
                break
            if not piece:
                break
            *messages, rest = (rest + piece).split(b"\0")
            for text in messages:
                message = json.loads(text)
                if "id" in message:
                    with self.lock:
                        waiting = self.waiting.pop(message["id"], None)
                    if waiting:
                        waiting.put(message)
                elif message.get("sessionId") in self.pages:
                    self.pages[message["sessionId"]].happened(message)

    def call(self, method, session=None, seconds=30, **parameters):
        answer = queue.Queue()
        with self.lock:
            self.number += 1
            number = self.number
            self.waiting[number] = answer
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.requests, json.dumps(message).encode() + b"\0")
        try:
            answer = answer.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"the browser does not answer {method}") from None
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    def page(self, url="about:blank", width=1280, height=900, scheme="dark"):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, target, session)
        self.pages[session] = page
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        page.size(width, height)
        page.scheme(scheme)
        if url != "about:blank":
            page.go(url)
        return page


class Page:
    def __init__(self, browser, target, session):
        self.browser = browser
        self.target = target
        self.session = session
        self.complaints = []
        self.requests = []

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def happened(self, message):
        parameters = message["params"]
        if message["method"] == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        elif message["method"] == "Log.entryAdded" and parameters["entry"]["source"] in ("security", "violation"):
            self.complaints.append(parameters["entry"]["text"])
        elif message["method"] == "Runtime.consoleAPICalled" and parameters["type"] == "error":
            self.complaints.append(str(parameters["args"]))
        elif message["method"] == "Network.requestWillBeSent":
            self.requests.append(parameters["request"])

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)

    def size(self, width, height=900, scale=1, mobile=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=mobile)

    def scheme(self, scheme):
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}])

    def front(self):
        """Makes it the page that is seen: what nobody sees is not drawn."""
        self.call("Page.bringToFront")

    def offline(self, is_offline):
        self.call("Network.emulateNetworkConditions", offline=is_offline, latency=0, downloadThroughput=-1,
                  uploadThroughput=-1)

    def go(self, url):
        answer = self.call("Page.navigate", url=url)
        assert "errorText" not in answer, answer
        self.wait("document.readyState === 'complete'")

    def run(self, expression):
        """The value of an expression, awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True,
                           userGesture=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, expression, seconds=20):
        """Waits until an expression is true; returns its value."""
        end = time.monotonic() + seconds
        while True:
            value = self.run(expression)
            if value:
                return value
            assert time.monotonic() < end, f"never came true: {expression}\n{self.text()[:3000]}\n{self.complaints}"
            time.sleep(0.05)

    def text(self, selector="body"):
        return self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def wait_text(self, words, selector="main", seconds=20):
        self.wait(f"(document.querySelector({json.dumps(selector)})?.innerText ?? '').includes({json.dumps(words)})",
                  seconds)

    def click(self, selector):
        self.wait(f"document.querySelector({json.dumps(selector)}) !== null")
        self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def press(self, words):
        """Presses the visible button with these words."""
        button = ("[...(document.querySelector('dialog[open]') ?? document).querySelectorAll('button')].find((button) => button.checkVisibility() && "
                  f"!button.disabled && button.innerText.trim() === {json.dumps(words)})")
        self.wait(f"Boolean({button})")
        self.run(f"{button}.click()")

    def fill(self, selector, text):
        quoted = json.dumps(selector)
        self.run(f"(() => {{ const field = document.querySelector({quoted}); field.value = {json.dumps(text)}; "
                 "field.dispatchEvent(new Event('input', {bubbles: true})); "
                 "field.dispatchEvent(new Event('change', {bubbles: true})); })()")

    def key(self, key, code=None, text=None, modifiers=0):
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowRight": 39, "ArrowLeft": 37, " ": 32}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=code or key, modifiers=modifiers,
                      windowsVirtualKeyCode=codes.get(key, 0),
                      **({"text": text or "\r"} if kind == "keyDown" and key == "Enter" else {}))

    def picture(self, path, whole=True):
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))

    def audit(self, script):
        """What axe finds: rules that do not hold, with the elements. `script` is the text of axe.min.js.

        The script runs beside the page's own world, and so past its Content-Security-Policy.
        """
        frame = self.call("Page.getFrameTree")["frameTree"]["frame"]["id"]
        world = self.call("Page.createIsolatedWorld", frameId=frame)["executionContextId"]
        self.call("Runtime.evaluate", expression=script + ";null", contextId=world)
        answer = self.call(
            "Runtime.evaluate", contextId=world, awaitPromise=True, returnByValue=True,
            expression="axe.run(document, {resultTypes: ['violations']}).then((result) => result.violations.map("
                       "(rule) => [rule.id, rule.impact, rule.nodes.slice(0, 4).map((node) => node.html + ' ' + "
                       "node.failureSummary)]))")
        assert "exceptionDetails" not in answer, answer
        return answer["result"]["value"]
