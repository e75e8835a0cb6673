// One rotation, as record and proof: who had a turn when, what the last look has shown, and the signed report.
import { checkStateOf, clock, componentOf, causes, count, duration, moment, phaseOf, span, stateOf, stateWords } from "/dashboard/words.js";
import { make, replace } from "/dashboard/dom.js";

const MOST_PAGES = 5;

export class RecordView {
  constructor(fleet, main, name, id) {
    this.fleet = fleet;
    this.name = name;
    this.id = id;
    this.rotation = null;
    this.problem = "";
    this.report = null;
    this.reportProblem = "";
    document.title = `Rotation ${id}, ${name} – omnid`;
    this.body = make("div");
    const cluster = `#/clusters/${encodeURIComponent(name)}`;
    main.append(
      make("p", { class: "path" }, make("a", { href: "#/" }, "Clusters"), " / ", make("a", { href: cluster }, name), " /"),
      this.body);
  }

  enter() {
    this.fleet.follow(this.name);
    this.#read();
  }

  async #read() {
    try {
      this.rotation = await this.#find();
      if (!this.rotation) this.problem = "The history has no such rotation. omnid keeps the newest 100 of a cluster.";
    } catch (error) {
      this.problem = error.message;
    }
    this.draw();
    if (!this.rotation?.finishedAt) return;
    try {
      this.report = await this.fleet.call("GetRotationReport", { cluster: this.name, rotationId: this.id });
    } catch (error) {
      this.reportProblem = error.message;
    }
    this.draw();
  }

  async #find() {
    let pageToken = "";
    for (let page = 0; page < MOST_PAGES; page++) {
      const answer = await this.fleet.call("ListRotations", { cluster: this.name, pageSize: 50, pageToken });
      const found = (answer.rotations ?? []).find((rotation) => rotation.rotationId === this.id);
      if (found || !answer.nextPageToken) return found ?? null;
      pageToken = answer.nextPageToken;
    }
    return null;
  }

  draw() {
    const live = this.fleet.statuses.get(this.name);
    // It has ended since it was read.
    if (this.rotation && !this.rotation.finishedAt && live?.rotationId === this.id && live.finishedAt && !this.isReading) {
      this.isReading = true;
      this.#read().finally(() => (this.isReading = false));
    }
    replace(this.body, [this.rotation, this.problem, this.report, this.reportProblem], () => {
      if (!this.rotation) return [make("h1", {}, "Rotation"), make("p", { class: "loading" }, this.problem || "Loading …")];
      const rotation = this.rotation;
      return [
        heading(rotation), this.#proof(rotation), facts(rotation), timeline(rotation), matrix(rotation),
        notes(rotation), this.#report(rotation)];
    });
  }

  #proof(rotation) {
    if (!rotation.finishedAt) {
      return make("p", { class: "banner warning" }, "This rotation is not over. ",
        make("a", { href: `#/clusters/${encodeURIComponent(this.name)}` }, "See it live"));
    }
    if (!rotation.refusedEverywhereAt) return rotation.error ? make("p", { class: "banner error" }, rotation.error) : null;
    const gone = stateOf(rotation) === "ABORTED" ? "new CA" : "old CA";
    return make("p", { class: "banner good" }, make("strong", {}, `✓ The ${gone} is refused by every machine since ${clock(rotation.refusedEverywhereAt)}.`),
      "That is the moment at which the last look was passed.");
  }

  #report() {
    const section = make("section", { class: "region" }, make("h2", {}, "Signed report"));
    if (!this.report) {
      section.append(make("p", { class: "faint" }, this.reportProblem || (this.rotation.finishedAt ? "Loading …" : "It is there when the rotation is over.")));
      return section;
    }
    const { report, keyFingerprint } = this.report;
    section.append(
      make("p", {}, "The text ends with omnid's Ed25519 signature. The key's SHA-256 is ", make("code", {}, keyFingerprint),
        ". Whoever has the file checks it without omnid: ", make("code", {}, `omnictl report verify FILE --key ${keyFingerprint}`)),
      make("p", { class: "buttons" }, make("button", { type: "button", class: "primary", onclick: () => save(report, `rotation-${this.name}-${this.id}.txt`) }, "Save the report")),
      make("details", {}, make("summary", {}, "Read it here"), make("pre", { tabindex: "0", class: "report" }, report)));
    return section;
  }
}

function save(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function heading(rotation) {
  const { words, kind, sign } = stateWords(rotation);
  return make("div", { class: "heading" },
    make("div", { class: "title" },
      make("h1", {}, `${componentOf(rotation.component)} of ${rotation.cluster}`),
      make("p", { class: "state-line" }, make("span", { class: `chip ${kind}` }, make("span", { class: "sign", "aria-hidden": "true" }, sign), words))),
    make("button", { type: "button", onclick: copy }, "Copy permalink"));
}

async function copy(event) {
  const button = event.currentTarget;
  try {
    await navigator.clipboard.writeText(location.href);
    button.textContent = "Copied";
  } catch {
    button.textContent = "The address bar has it";
  }
  setTimeout(() => (button.textContent = "Copy permalink"), 3000);
}

function facts(rotation) {
  const rows = [
    ["Started", `${clock(rotation.startedAt)} by ${rotation.requester || "nobody known"}`],
    ["Ended", rotation.finishedAt ? clock(rotation.finishedAt) : "not yet"],
    ["Took", rotation.elapsed ? span(duration(rotation.elapsed)) : "–"],
    ["Reason", rotation.reason || "not said"],
    ["Cause", causes[rotation.cause ?? "ROTATION_CAUSE_UNSPECIFIED"] ?? "unknown"],
    ["CA that went", rotation.oldCaFingerprint ?? "–"],
    ["CA that came", rotation.newCaFingerprint ?? "–"],
    ["Rotation", rotation.rotationId],
  ];
  return make("dl", { class: "facts" }, ...rows.map(([term, text]) => make("div", {}, make("dt", {}, term), make("dd", {}, text))));
}

/** Who had a turn when: a bar for each machine and stage, with the times beside it for those who cannot see it. */
function timeline(rotation) {
  const machines = (rotation.machines ?? []).filter((machine) => machine.stageTimes?.length);
  if (!machines.length) return null;
  const times = machines.flatMap((machine) => machine.stageTimes);
  const first = Math.min(...times.map((time) => moment(time.begunAt)));
  const last = Math.max(...times.map((time) => moment(time.verifiedAt) || moment(time.begunAt)), first + 1);
  const part = (value) => ((value - first) / (last - first)) * 100;
  return make("section", { class: "region" },
    make("h2", {}, "Timeline"),
    make("p", { class: "faint" }, `From ${clock(first)} to ${clock(last)}, ${span(last - first)}. A bar lasts from the machine's turn to its last check.`),
    make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Timeline" },
      make("table", { class: "timeline" },
        make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Machine"), make("th", { scope: "col" }, "Turns"), make("th", { scope: "col", class: "took" }, "In work"))),
        make("tbody", {}, ...machines.map((machine) => {
          const track = make("td", { class: "track" });
          let worked = 0;
          for (const time of machine.stageTimes) {
            const [from, to] = [moment(time.begunAt), moment(time.verifiedAt) || last];
            worked += to - from;
            const phase = phaseOf(time.phase);
            const bar = make("span", { class: `bar ${phase} ${time.undone ? "undone" : ""}`, title: `${phase}${time.undone ? " undone" : ""}: ${clock(from)} to ${clock(to)}, ${span(to - from)}` },
              make("span", { class: "unseen" }, `${phase}${time.undone ? " undone" : ""} from ${clock(from)} for ${span(to - from)}. `));
            bar.style.setProperty("--from", `${part(from)}%`);
            bar.style.setProperty("--width", `${Math.max(0.4, part(to) - part(from))}%`);
            track.append(bar);
          }
          return make("tr", {}, make("th", { scope: "row" }, machine.machine), track, make("td", { class: "took" }, span(worked)));
        })))),
    make("p", { class: "legend" }, ...["PRE_ROTATE", "ROTATE", "POST_ROTATE"].map((phase) =>
      make("span", {}, make("span", { class: `bar key ${phase}`, "aria-hidden": "true" }), ` ${phase}`))));
}

const signs = { PASSED: ["✓", "passed"], FAILED: ["✕", "failed"], WAITING: ["…", "waiting"], NOT_APPLICABLE: ["–", "has no meaning here"] };

/** What the last look has shown: machine by check. */
function matrix(rotation) {
  const machines = rotation.machines ?? [];
  const names = [...new Set(machines.flatMap((machine) => (machine.checks ?? []).map((check) => check.name)))];
  if (!names.length) return null;
  const passed = machines.reduce((sum, machine) => sum + (machine.checks ?? []).filter((check) => checkStateOf(check.state) === "PASSED").length, 0);
  return make("section", { class: "region" },
    make("h2", {}, "Checks of the last look"),
    make("p", { class: "faint" }, `${count(machines.length, "machine")}, ${count(passed, "check")} passed. ✓ passed, ✕ failed, … not yet, – has no meaning here.`),
    make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Machines by checks" },
      make("table", { class: "matrix" },
        make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Machine"), ...names.map((name) => make("th", { scope: "col", class: "check" }, make("span", {}, name))))),
        make("tbody", {}, ...machines.map((machine) => {
          const own = new Map((machine.checks ?? []).map((check) => [check.name, check]));
          return make("tr", {}, make("th", { scope: "row" }, machine.machine), ...names.map((name) => {
            const check = own.get(name);
            const [sign, words] = check ? signs[checkStateOf(check.state)] ?? ["?", "unknown"] : ["–", "has no meaning here"];
            return make("td", { class: words === "failed" ? "bad" : "", title: `${name}: ${check?.detail || words}` },
              make("span", { "aria-hidden": "true" }, sign), make("span", { class: "unseen" }, words));
          }));
        })))));
}

function notes(rotation) {
  const lines = [...(rotation.notes ?? []), ...(rotation.nextSteps ?? [])];
  if (!lines.length) return null;
  return make("section", { class: "region" }, make("h2", {}, "What else happened, and what to do next"), make("ul", {}, ...lines.map((line) => make("li", {}, line))));
}
