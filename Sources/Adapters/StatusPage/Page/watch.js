// One stream of rotation statuses, which goes on: after an end it is begun again from the newest revision seen.
import { CallError, stream } from "/dashboard/rpc.js";

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
/** A stream that lasted so long was a good one: the next pause is the first again. */
const GOOD = 10_000;

export class Watch {
  #abort = new AbortController();
  #isStopped = false;
  #wake = () => {};
  #revision;

  /**
   * @param cluster the cluster's name; empty: all clusters.
   * @param revision what is known already; "0": nothing.
   * @param told what to tell: `status(message)`, `open()`, `lost(error)`, `over(error)`.
   */
  constructor(cluster, revision, told) {
    this.cluster = cluster;
    this.#revision = revision;
    this.told = told;
    this.#run();
    addEventListener("online", this.#again);
    document.addEventListener("visibilitychange", this.#again);
  }

  /** The newest revision seen, as a decimal number. */
  get revision() {
    return this.#revision;
  }

  stop() {
    this.#isStopped = true;
    this.#abort.abort();
    this.#wake();
    removeEventListener("online", this.#again);
    document.removeEventListener("visibilitychange", this.#again);
  }

  // Somebody looks again, or the network is back: no need to wait.
  #again = () => {
    if (document.visibilityState === "visible") this.#wake();
  };

  async #run() {
    let pause = FIRST_PAUSE;
    while (!this.#isStopped) {
      const begun = Date.now();
      let error;
      try {
        await this.#follow();
        error = new CallError("unavailable", "the server has ended the stream");
      } catch (caught) {
        error = caught;
      }
      if (this.#isStopped) return;
      if (!(error instanceof CallError)) error = new CallError("internal", String(error?.message ?? error));
      if (["unauthenticated", "permission_denied", "not_found", "invalid_argument"].includes(error.code)) {
        this.stop();
        return this.told.over(error);
      }
      // A store that was brought back counts from before: everything is told anew.
      if (error.code === "out_of_range") this.#revision = "0";
      this.told.lost(error);
      if (Date.now() - begun > GOOD) pause = FIRST_PAUSE;
      // Spread, so that tabs that were cut off together do not come back together.
      await this.#sleep(pause * (0.5 + Math.random()));
      pause = Math.min(LONGEST_PAUSE, pause * 2);
    }
  }

  async #follow() {
    this.#abort = new AbortController();
    const request = { cluster: this.cluster, afterRevision: this.#revision, changesOnly: true };
    let isOpen = false;
    const opened = () => {
      if (!isOpen) this.told.open();
      isOpen = true;
    };
    for await (const message of stream("WatchRotationStatus", request, this.#abort.signal, opened)) {
      if (!message.status) continue;
      this.told.status(message);
      const revision = message.status.revision ?? "0";
      if (BigInt(revision) > BigInt(this.#revision)) this.#revision = revision;
    }
  }

  #sleep(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
