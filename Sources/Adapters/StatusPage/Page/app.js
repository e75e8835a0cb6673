// The frame of the dashboard: who is here, whether the server is heard, and which view the address asks for.
import { make, replace, say } from "/dashboard/dom.js";
import { CredentialView } from "/dashboard/credential.js";
import { Fleet } from "/dashboard/fleet.js";
import { ClusterView } from "/dashboard/cluster.js";
import { ClustersView } from "/dashboard/clusters.js";
import { RecordView } from "/dashboard/record.js";
import { clock, span } from "/dashboard/words.js";

const main = document.getElementById("main");
const connection = document.getElementById("connection");
const stale = document.getElementById("stale");

let view = null;
let isOver = false;
let isDrawing = false;

const fleet = new Fleet(draw, ended);

/** The views by what the address holds behind #; a permalink is such an address. */
const routes = [
  [/^\/$/, () => new ClustersView(fleet, main), "clusters"],
  [/^\/clusters\/([^/]+)\/rotations\/([^/]+)$/, (name, id) => new RecordView(fleet, main, name, id), "clusters"],
  [/^\/credential$/, () => new CredentialView(fleet, main), "credential"],
  [/^\/clusters\/([^/]+)$/, (name) => new ClusterView(fleet, main, name), "clusters"],
];

/** Draws at most once a frame, however much arrives; in a tab that nobody sees, once it is seen. */
function draw() {
  if (isDrawing || isOver) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    if (isOver) return;
    drawFrame();
    view?.draw();
  });
}

function drawFrame() {
  const isLost = fleet.lostAt !== null;
  connection.className = `connection ${isLost ? "lost" : fleet.heardAt ? "live" : ""}`;
  say(connection.querySelector(".words"), isLost ? "not connected" : fleet.heardAt ? "live" : "connecting");
  const text = isLost
    ? `Not connected since ${clock(fleet.lostAt)}: ${fleet.problem}. What you see is from ${clock(fleet.heardAt)}. `
      + "It is tried again by itself."
    : "";
  if (stale.textContent !== text) stale.textContent = text;
  stale.hidden = !isLost;
  document.body.classList.toggle("stale", isLost);
}

function route() {
  if (isOver) return;
  const path = location.hash.slice(1) || "/";
  for (const [pattern, build, name] of routes) {
    const found = pattern.exec(path);
    if (!found) continue;
    view?.leave?.();
    main.replaceChildren();
    main.madeOf = undefined;
    for (const link of document.querySelectorAll("nav [data-view]")) {
      if (link.dataset.view === name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    view = build(...found.slice(1).map(decoded));
    view.enter?.();
    draw();
    return;
  }
  location.hash = "#/";
}

/** A part of an address. What is no encoding stands for itself. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The server does not know the session: it has ended, or the server was restarted. */
function ended(error) {
  if (isOver) return;
  isOver = true;
  fleet.stop();
  stale.hidden = true;
  connection.className = "connection lost";
  say(connection.querySelector(".words"), "no session");
  document.getElementById("close").hidden = true;
  document.getElementById("caller").textContent = "";
  for (const dialog of document.querySelectorAll("dialog")) dialog.remove();
  document.title = "No session – omnid";
  main.replaceChildren(
    make("section", { class: "card narrow" },
      make("h1", { tabindex: "-1" }, "There is no session"),
      make("p", {}, error?.isUnknownCaller
        ? "It is over, its access was revoked, or omnid was started anew: sessions end with it."
        : "The session was ended."),
      make("p", {}, "Run ", make("code", {}, "omnictl dashboard"), " and open the link that it prints.")));
  main.querySelector("h1").focus();
}

async function begin() {
  try {
    await fleet.begin();
  } catch (error) {
    if (isOver) return;
    if (error.isUnknownCaller || error.code === "permission_denied") return ended(error);
    replace(main, error.message, () => [
      make("p", { class: "banner warning", role: "alert" }, `${error.message}. It is tried again every few seconds.`)]);
    setTimeout(begin, 2000 + 3000 * Math.random());
    return;
  }
  main.madeOf = undefined;
  drawCaller();
  addEventListener("hashchange", () => {
    route();
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  });
  // What stands behind # is the view's.
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
  // The seconds of durations. Nothing is asked of the server for it.
  setInterval(draw, 1000);
  document.addEventListener("visibilitychange", relist);
  route();
  fleet.list().catch(() => {});
}

/** Marks come and go without a rotation; they are read anew when somebody comes back to the tab. */
function relist() {
  if (document.visibilityState === "visible" && !isOver && fleet.lostAt === null) fleet.list().catch(() => {});
}

function drawCaller() {
  const { name = "", role = "", expiresAt, session, clusters = [] } = fleet.caller;
  const word = role.replace("ACCESS_ROLE_", "").toLowerCase();
  const caller = document.getElementById("caller");
  caller.textContent = `${name.replace(" via dashboard", "")}, ${word}`;
  caller.title = [
    `The audit log has you as ${name}.`,
    clusters.length ? `Bound to ${clusters.join(", ")}.` : "",
    expiresAt ? `Until ${clock(expiresAt)}, in ${span(new Date(expiresAt) - Date.now())}.` : "",
  ].filter(Boolean).join(" ");
  const close = document.getElementById("close");
  close.hidden = !session;
  close.addEventListener("click", async () => {
    try {
      await fleet.call("CloseDashboardSession");
    } catch {
      // Whether it was ended there is not known; here it is.
    }
    ended(null);
  });
}

begin();
