// All clusters: what needs somebody first.
import { keep, make, put, say } from "/dashboard/dom.js";
import {
  clock, componentOf, count, daysLeft, isLeak, isRunning, moment, phaseOf, span, stateOf, stateWords,
} from "/dashboard/words.js";

/** Days before a CA's end at which it is time. */
const SOON = 90;
const VERY_SOON = 30;
/** Rows that are drawn; the filter finds the others. */
const MOST_ROWS = 500;

export class ClustersView {
  constructor(fleet, main) {
    this.fleet = fleet;
    this.filter = make("input", {
      type: "search", id: "filter", placeholder: "Name, mark or state", autocomplete: "off", spellcheck: "false",
      oninput: () => this.draw(),
    });
    this.summary = make("p", { class: "summary", id: "summary" });
    // The roles stand here too because a phone shows the table as blocks, which takes them away.
    this.rows = make("tbody", { role: "rowgroup" });
    this.empty = make("p", { class: "loading" }, "Loading …");
    this.table = make("table", { class: "clusters", role: "table" },
      make("caption", { class: "unseen" }, "Clusters, those that need somebody first"),
      make("thead", { role: "rowgroup" }, make("tr", { role: "row" },
        ...["Cluster", "State", "CAs end in", "Longest wait", "Marks", "Old CA refused since"]
          .map((title) => make("th", { scope: "col", role: "columnheader" }, title)))),
      this.rows);
    main.append(
      make("div", { class: "heading" },
        make("h1", {}, "Clusters"),
        make("label", { class: "filter", for: "filter" }, make("span", {}, "Filter"), this.filter)),
      this.summary, this.table, this.empty);
    document.title = "Clusters – omnid";
  }

  enter() {
    this.fleet.follow(null);
  }

  draw() {
    const all = [...this.fleet.clusters.values()].map((cluster) => describe(cluster, this.fleet.statuses.get(cluster.name)));
    const wanted = this.filter.value.trim().toLowerCase();
    const shown = all.filter((row) => !wanted || row.text.includes(wanted));
    shown.sort((a, b) => b.urgency - a.urgency || a.days - b.days || (a.name < b.name ? -1 : 1));
    say(this.summary, summary(all, shown) + (shown.length > MOST_ROWS ? ` · the first ${MOST_ROWS} are shown: narrow the filter` : ""));
    this.table.hidden = shown.length === 0;
    this.empty.hidden = shown.length > 0;
    say(this.empty, !this.fleet.isListed ? "Loading …"
      : all.length ? "No cluster matches the filter."
      : "omnid knows no cluster yet: omnictl cluster import NAME --talosconfig FILE");
    keep(this.rows, shown.slice(0, MOST_ROWS), (row) => row.name, createRow, updateRow);
  }
}

function describe(cluster, status) {
  const ends = (cluster.authorities ?? []).map((authority) => [daysLeft(authority.notAfter), authority])
    .sort(([a], [b]) => a - b);
  const [days, authority] = ends[0] ?? [Infinity, null];
  const waits = [...(status?.machines?.values() ?? [])].filter((machine) => machine.waitingSince);
  waits.sort((a, b) => moment(a.waitingSince) - moment(b.waitingSince));
  const marks = [...(cluster.marks ?? []).map((mark) => mark.name), ...(cluster.warnings ?? []).map(() => "warning")];
  if ((status?.staleTrust ?? []).some((stale) => stale.total > 0)) marks.push("restarts pending");
  const words = stateWords(status);
  const returned = (status?.returnedCas ?? []).length;
  const lock = status?.lock ?? cluster.lock;
  let urgency = 0;
  if (stateOf(status) === "FAILED" || status?.error || returned) urgency = 5;
  else if (waits.length) urgency = 4;
  else if (isRunning(status)) urgency = 3;
  else if (marks.length || days < VERY_SOON) urgency = 2;
  else if (days < SOON || lock) urgency = 1;
  return {
    name: cluster.name, cluster, status, days, authority, wait: isRunning(status) ? waits[0] : null, words, marks,
    returned, lock, urgency,
    text: `${cluster.name} ${marks.join(" ")} ${words.words}`.toLowerCase(),
  };
}

function summary(all, shown) {
  if (!all.length) return "";
  const running = all.filter((row) => isRunning(row.status)).length;
  const waiting = all.filter((row) => row.wait).length;
  const marked = all.filter((row) => row.marks.length).length;
  const soon = all.filter((row) => row.days < SOON).length;
  return [
    shown.length === all.length ? count(all.length, "cluster") : `${shown.length} of ${count(all.length, "cluster")}`,
    running ? `${running} rotating` : "none rotating",
    waiting ? `${waiting} waiting for a machine` : "",
    marked ? `${marked} marked` : "",
    soon ? `${soon} with a CA that ends within ${SOON} days` : "",
  ].filter(Boolean).join(" · ");
}

function createRow(row) {
  const cell = (label, name) => make("td", { class: name, role: "cell", "data-label": label });
  return make("tr", { role: "row" },
    make("th", { scope: "row", role: "rowheader" }, make("a", { href: `#/clusters/${encodeURIComponent(row.name)}` }, row.name)),
    cell("State", "state"), cell("CAs end in", "days"), cell("Longest wait", "wait"), cell("Marks", "marks"),
    cell("Old CA refused since", "refused"));
}

function updateRow(element, { cluster, status, days, authority, wait, words, marks, returned, lock, urgency }) {
  put(element, "data-urgency", urgency);
  const [, state, left, waiting, marked, refused] = element.children;
  chip(state, words, detail(status, lock));
  const isSoon = days < SOON;
  say(left, authority ? `${days < 0 ? "ended" : count(days, "day")}${isSoon ? " ⚠" : ""}` : "–");
  put(left, "title", authority ? `${componentOf(authority.component)}, until ${clock(authority.notAfter)}` : null);
  put(left, "class", `days ${days < VERY_SOON ? "bad" : isSoon ? "soon" : ""}`);
  say(waiting, wait ? `${span(Date.now() - moment(wait.waitingSince))}, ${wait.machine}` : "–");
  put(waiting, "class", `wait ${wait ? "soon" : ""}`);
  keep(marked, [...marks, ...(returned ? ["retired CA is back"] : [])], (mark) => mark,
    (mark) => make("span", { class: "mark" }, mark));
  put(marked, "title", (cluster.marks ?? []).map((mark) => mark.detail).concat(cluster.warnings ?? []).join("\n") || null);
  say(refused, status?.refusedEverywhereAt ? clock(status.refusedEverywhereAt)
    : isRunning(status) ? accepted(status) : "–");
}

function chip(cell, { words, kind, sign }, text) {
  if (!cell.firstElementChild) {
    cell.append(make("span", { class: "chip" }, make("span", { class: "sign", "aria-hidden": "true" }), make("span")),
      make("span", { class: "detail" }));
  }
  const [chip, detail] = cell.children;
  put(chip, "class", `chip ${kind}`);
  say(chip.children[0], sign);
  say(chip.children[1], words);
  say(detail, text);
}

function detail(status, lock) {
  if (isRunning(status)) {
    const phase = phaseOf(status.phase);
    return `${componentOf(status.component)}, ${phase} ${status.machinesDone ?? 0}/${status.machinesTotal ?? 0}`;
  }
  if (lock) return `locked by ${lock.lockedBy}`;
  return ["SUCCEEDED", "ABORTED", "FAILED"].includes(stateOf(status)) ? componentOf(status.component) : "";
}

/** How far the credential works still that is to be got rid of. */
export function accepted(status) {
  const machines = status.machines?.size || status.machinesTotal || 0;
  const what = isLeak(status.cause) ? "the leaked credential works" : "accepted";
  return `${what} on ${status.oldCaAcceptedBy ?? 0} of ${machines}`;
}
