// What is known of the clusters: their records, and the statuses of their rotations as the server streams them.
import { unary } from "/dashboard/rpc.js";
import { Watch } from "/dashboard/watch.js";
import { isRunning } from "/dashboard/words.js";

/** Streams of a caller that is bound to clusters, which has one for each. */
const MOST_WATCHES = 16;
const MOST_PAGES = 100;

export class Fleet {
  caller = null;
  version = "";
  /** Records by name, as GetCluster has them. */
  clusters = new Map();
  /** Statuses by cluster; `machines` is a map by name. */
  statuses = new Map();
  /** Since when there is no connection; null while there is one. */
  lostAt = null;
  /** When the server was last heard. */
  heardAt = null;
  problem = "";
  isListed = false;
  #watches = new Map();
  #revisions = new Map();
  #isStale = false;
  #fetching = new Set();
  /** Whose record has changed while it was read. */
  #again = new Set();

  /**
   * @param changed called when anything has changed.
   * @param ended called when the server does not know the session any more.
   */
  constructor(changed, ended) {
    this.changed = changed;
    this.ended = ended;
  }

  async begin() {
    const answer = await this.call("GetDashboardSession");
    this.caller = answer.caller ?? {};
    this.version = answer.serverVersion ?? "";
    this.heardAt = Date.now();
  }

  get mayOperate() {
    return ["ACCESS_ROLE_OPERATOR", "ACCESS_ROLE_ADMIN"].includes(this.caller?.role);
  }

  /** A call whose refusal for want of a session ends everything. */
  async call(method, request, options) {
    try {
      return await unary(method, request, options);
    } catch (error) {
      if (error.isUnknownCaller) this.ended(error);
      throw error;
    }
  }

  /** Reads the records of all clusters. */
  async list() {
    const found = new Map();
    let pageToken = "";
    for (let page = 0; page < MOST_PAGES; page++) {
      const answer = await this.call("ListClusters", { pageSize: 200, pageToken });
      for (const cluster of answer.clusters ?? []) found.set(cluster.name, cluster);
      if (!answer.nextPageToken || answer.nextPageToken === pageToken) break;
      pageToken = answer.nextPageToken;
    }
    for (const cluster of found.values()) if (cluster.rotation) this.#take(cluster.name, cluster.rotation, false);
    for (const name of this.statuses.keys()) if (!found.has(name)) this.statuses.delete(name);
    this.clusters = found;
    this.isListed = true;
    this.changed();
  }

  /** Reads the record of one cluster anew. */
  async fetch(name) {
    if (this.#fetching.has(name)) {
      this.#again.add(name);
      return;
    }
    this.#fetching.add(name);
    try {
      const { cluster } = await this.call("GetCluster", { cluster: name });
      this.clusters.set(name, cluster);
      if (cluster.rotation) this.#take(name, cluster.rotation, false);
    } catch (error) {
      if (error.code === "not_found") this.#forget(name);
    } finally {
      this.#fetching.delete(name);
      this.changed();
      if (this.#again.delete(name)) this.fetch(name);
    }
  }

  /** Follows one cluster, or all of them (null). What is followed already goes on. */
  follow(name) {
    const bound = this.caller?.clusters ?? [];
    const wanted = new Set(name ? [name] : bound.length ? bound.slice(0, MOST_WATCHES) : [""]);
    for (const [key, watch] of this.#watches) {
      if (wanted.has(key)) continue;
      watch.stop();
      this.#revisions.set(key, watch.revision);
      this.#watches.delete(key);
    }
    for (const key of wanted) {
      if (!this.#watches.has(key)) this.#watches.set(key, this.#watch(key));
    }
  }

  stop() {
    for (const watch of this.#watches.values()) watch.stop();
    this.#watches.clear();
  }

  #watch(key) {
    return new Watch(key, this.#revisions.get(key) ?? "0", {
      open: () => {
        this.#heard();
        // What is no rotation's status (marks, a cluster that was forgotten) may have changed meanwhile.
        if (this.#isStale) this.#refresh(key);
        this.#isStale = false;
        this.changed();
      },
      status: ({ status, machinesChangedOnly }) => {
        this.#heard();
        const before = this.statuses.get(status.cluster);
        this.#take(status.cluster, status, machinesChangedOnly === true);
        // The record has the CAs in use and the marks, which change when a rotation begins or ends. Where none runs, a newer
        // revision with nothing new in the status says that the record has changed: a mark was set or cleared.
        const isTurn = before?.rotationId !== status.rotationId || isRunning(before) !== isRunning(status)
          || JSON.stringify(before?.returnedCas) !== JSON.stringify(status.returnedCas)
          || JSON.stringify(before?.lock) !== JSON.stringify(status.lock)
          || (!isRunning(status) && before?.revision !== status.revision);
        if ((before && isTurn) || !this.clusters.has(status.cluster)) this.fetch(status.cluster);
        this.changed();
      },
      lost: (error) => {
        this.lostAt ??= Date.now();
        this.problem = error.message;
        this.#isStale = true;
        this.changed();
      },
      over: (error) => {
        this.#watches.delete(key);
        if (error.isUnknownCaller) return this.ended(error);
        this.problem = error.message;
        if (error.code === "not_found") this.#forget(key);
        else this.lostAt ??= Date.now();
        this.changed();
      },
    });
  }

  #heard() {
    this.heardAt = Date.now();
    this.lostAt = null;
    this.problem = "";
  }

  #refresh(key) {
    (key ? this.fetch(key) : this.list()).catch(() => {});
  }

  #forget(name) {
    this.clusters.delete(name);
    this.statuses.delete(name);
  }

  #take(name, status, isChange) {
    const before = this.statuses.get(name);
    // An answer may be older than what was streamed meanwhile.
    if (before && BigInt(before.revision ?? 0) > BigInt(status.revision ?? 0)) return;
    const machines = new Map(isChange ? before?.machines : undefined);
    for (const machine of status.machines ?? []) machines.set(machine.machine, machine);
    const kept = isChange && before ? unchanged(before) : {};
    this.statuses.set(name, { ...kept, ...status, machines });
  }
}

/** What an update with changed machines alone leaves out because it is as it was. */
function unchanged({ component, startedAt, oldCaFingerprint, newCaFingerprint, reason, cause, requester, notes,
  retiringCredentials, retiringCredentialsUnlisted }) {
  return { component, startedAt, oldCaFingerprint, newCaFingerprint, reason, cause, requester, notes,
    retiringCredentials, retiringCredentialsUnlisted };
}
