// Plays recorded runs of a cluster on a canvas. One plain ES module without dependencies.
//
// render({model, el}) is the front end of an anywidget as well as of the static page: model.get("runs")
// is {meta, data}, where meta describes the runs and data holds them, encoded as described in encoding.py.
// It is one field, so that what describes and what is described always belong together. The picture
// of a slot is the state after its dispatch, with the tasks on the move that a server has just taken
// from a queue that is not its own.

const ESCAPE = 3, LENGTHS = 6, DEPTHS = 8, CROWDS = 4; // as in encoding.py
const SNAPSHOT = 64; // slots between two copies of the state
const WINDOW = 50; // slots that the mean completion time is taken over
const SPEEDS = [0.5, 1, 2, 5, 10, 20, 30, 60, 120]; // slots per second
const MOST_DOTS = 200; // more tasks on the move are drawn as lines only
const SHAPES = ["square", "triangle", "circle", "hexagon"]; // by tier, but for the last: a diamond
const SVG = "http://www.w3.org/2000/svg";

// ---------------------------------------------------------------------------------------------
// Reading a recording

/** Symbols and numbers of one stream, in order. */
class Stream {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  bit() {
    const at = this.at++;
    return (this.bytes[at >> 3] >> (at & 7)) & 1;
  }

  pair() {
    const at = this.at++;
    return (this.bytes[at >> 2] >> (2 * (at & 3))) & 3;
  }

  number() {
    let value = 0, scale = 1, byte;
    do {
      byte = this.bytes[this.at++];
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte > 127);
    return value;
  }

  /** The limbs of a large number, 24 bits each, the highest first. */
  limbs(length) {
    const limbs = [];
    let end = this.at + length % 3;
    if (length % 3) limbs.push(0);
    for (; this.at < end; this.at++) limbs[0] = limbs[0] * 256 + this.bytes[this.at];
    for (end += length - length % 3; this.at < end; this.at += 3) {
      limbs.push((this.bytes[this.at] << 16) | (this.bytes[this.at + 1] << 8) | this.bytes[this.at + 2]);
    }
    return limbs;
  }
}

/** The streams of a run by name; one that is missing is empty. */
class Streams {
  constructor(parts, bytes) {
    this.streams = new Map();
    let at = 0;
    for (const [name, size] of parts) {
      this.streams.set(name, new Stream(bytes.subarray(at, at + size)));
      at += size;
    }
  }

  get(name) {
    if (!this.streams.has(name)) this.streams.set(name, new Stream(new Uint8Array(0)));
    return this.streams.get(name);
  }

  /** A function that reads the next symbol of a context. */
  symbols(name) {
    const streams = [], more = this.get(`${name}+`);
    return (context) => {
      const stream = (streams[context] ??= this.get(`${name}${context}`));
      const symbol = stream.pair();
      return symbol === ESCAPE ? ESCAPE + more.number() : symbol;
    };
  }
}

/** Digits in a mixed radix; the number behind them is read when the first one is asked for. */
class Digits {
  constructor(streams, isThere) {
    this.lengths = streams.get("who+");
    this.stream = streams.get("who");
    this.isThere = isThere;
    this.limbs = null;
  }

  startSlot() {
    this.limbs = null;
  }

  next(radix) {
    if (radix < 2 || !this.isThere) return 0;
    this.limbs ??= this.stream.limbs(this.lengths.number());
    const limbs = this.limbs;
    let rest = 0, isLeading = true;
    for (let i = 0; i < limbs.length; i++) {
      const value = rest * 16777216 + limbs[i];
      limbs[i] = Math.floor(value / radix);
      rest = value - limbs[i] * radix;
      if (isLeading && limbs[i] === 0 && i > 8) continue;
      isLeading = false;
    }
    while (limbs.length && limbs[0] === 0) limbs.shift();
    return rest;
  }
}

/** A run: its tasks in columns, the tasks of each slot, and the state of any slot. */
export class Run {
  constructor(meta, about, bytes) {
    this.about = about;
    this.first = meta.first;
    this.nSlots = meta.slots;
    this.nServers = meta.servers;
    this.nTiers = meta.tiers.length;
    this.owners = about.owners ?? Array.from({ length: this.nServers }, (_, m) => m);
    this.nQueues = this.owners.length;
    this.isPlain = this.owners.slice(0, this.nServers).every((m, q) => m === q) && this.owners.slice(this.nServers).every((m) => m < 0);
    this.queuesOf = Array.from({ length: this.nServers }, () => []);
    this.owners.forEach((m, q) => m >= 0 && this.queuesOf[m].push(q));
    this.shared = this.owners.flatMap((m, q) => (m < 0 ? [q] : []));
    const n = about.tasks;
    for (const name of ["number", "arrival", "queue", "start", "server", "end"]) this[name] = new Int32Array(n).fill(-1);
    this.tier = new Int8Array(n).fill(-1);
    this.replicas = about.names ? [] : null;
    this.nTasks = 0;
    // The rows that arrive, start and complete in each slot; rows arrive in their own order.
    this.arrivedUpTo = new Int32Array(this.nSlots + 1);
    this.starts = new Int32Array(n);
    this.startsUpTo = new Int32Array(this.nSlots + 1);
    this.ends = new Int32Array(n);
    this.endsUpTo = new Int32Array(this.nSlots + 1);
    for (const name of ["nWaiting", "nBusy", "nMoved", "nDone", "times", "longest"]) this[name] = new Float64Array(this.nSlots);
    this.busy = Array.from({ length: this.nTiers }, () => new Int32Array(this.nSlots));
    this.waiting = new Int32Array(this.nQueues);
    this.running = new Int32Array(this.nServers).fill(-1);
    this.snapshots = [];
    new Decoder(this, new Streams(about.streams, bytes)).decode();
    this.slot = -1;
    this.goTo(0);
  }

  /** Bring `waiting` and `running` to the end of a slot, counted from the first of the recording. */
  goTo(slot) {
    if (slot < this.slot || slot >= this.slot + SNAPSHOT || this.slot < 0) {
      const kept = this.snapshots[Math.floor(slot / SNAPSHOT)];
      this.waiting.set(kept.waiting);
      this.running.set(kept.running);
      this.slot = Math.floor(slot / SNAPSHOT) * SNAPSHOT - 1;
    }
    while (this.slot < slot) this.apply(++this.slot);
  }

  apply(slot) {
    for (let i = this.endsUpTo[slot]; i < this.endsUpTo[slot + 1]; i++) this.running[this.server[this.ends[i]]] = -1;
    for (let row = this.arrivedUpTo[slot]; row < this.arrivedUpTo[slot + 1]; row++) this.waiting[this.queue[row]]++;
    for (let i = this.startsUpTo[slot]; i < this.startsUpTo[slot + 1]; i++) {
      const row = this.starts[i];
      this.waiting[this.queue[row]]--;
      this.running[this.server[row]] = row;
    }
  }

  snapshot() {
    this.snapshots.push({ waiting: this.waiting.slice(), running: this.running.slice() });
  }

  /** The rows that started in a slot on a server that does not own their queue. */
  moves(slot) {
    const rows = [];
    for (let i = this.startsUpTo[slot]; i < this.startsUpTo[slot + 1]; i++) {
      const row = this.starts[i];
      if (this.owners[this.queue[row]] !== this.server[row]) rows.push(row);
    }
    return rows;
  }

  waitingAt(server) {
    if (this.isPlain) return this.waiting[server];
    let n = 0;
    for (const queue of this.queuesOf[server]) n += this.waiting[queue];
    return n;
  }

  /** The tasks that wait in a queue at the end of a slot, the oldest first. */
  line(queue, slot) {
    this.byQueue ??= grouped(this.queue, this.nQueues, this.nTasks);
    const now = this.first + slot;
    return this.byQueue[queue].filter((row) => this.arrival[row] <= now && (this.start[row] < 0 || this.start[row] > now));
  }

  /** The tasks that a server has started up to the end of a slot, in order. */
  startedOn(server, slot) {
    if (!this.byServer) {
      this.byServer = Array.from({ length: this.nServers }, () => []);
      const before = [];
      for (let row = 0; row < this.nTasks; row++) if (this.start[row] >= 0 && this.start[row] < this.first) before.push(row);
      for (const row of [...before, ...this.starts.subarray(0, this.startsUpTo[this.nSlots])]) this.byServer[this.server[row]].push(row);
    }
    return this.byServer[server].filter((row) => this.start[row] <= this.first + slot);
  }

  /** The mean completion time of the tasks that completed in the last slots up to one; NaN if none did. */
  meanTime(slot) {
    let n = 0, sum = 0;
    for (let t = Math.max(0, slot - WINDOW + 1); t <= slot; t++) {
      n += this.nDone[t];
      sum += this.times[t];
    }
    return n ? sum / n : NaN;
  }

  rowOf(number) {
    if (!this.rowsByNumber) {
      this.rowsByNumber = new Map();
      for (let row = 0; row < this.nTasks; row++) this.rowsByNumber.set(this.number[row], row);
    }
    return this.rowsByNumber.get(number) ?? -1;
  }
}

function grouped(keys, n, nRows) {
  const groups = Array.from({ length: n }, () => []);
  for (let row = 0; row < nRows; row++) groups[keys[row]].push(row);
  return groups;
}

/** Reads a recording slot by slot, in the order in which encoding.py wrote it. */
class Decoder {
  constructor(run, streams) {
    this.run = run;
    this.setup = streams.get("setup");
    this.names = streams.get("names");
    this.replicas = streams.get("replicas");
    this.times = streams.get("times");
    this.done = Array.from({ length: run.nTiers }, (_, tier) => streams.get(`done${tier}`));
    this.arrive = streams.symbols("arrive");
    this.take = streams.symbols("take");
    this.help = streams.symbols("help");
    this.tier = streams.symbols("tier");
    this.digits = new Digits(streams, run.about.pairs);
    // Each queue is a linked list of rows.
    this.head = new Int32Array(run.nQueues).fill(-1);
    this.tail = new Int32Array(run.nQueues).fill(-1);
    this.after = new Int32Array(run.about.tasks).fill(-1);
  }

  decode() {
    const run = this.run;
    this.readSetup();
    for (let slot = 0; slot < run.nSlots; slot++) {
      if (slot % SNAPSHOT === 0) run.snapshot();
      run.endsUpTo[slot + 1] = run.endsUpTo[slot];
      run.startsUpTo[slot + 1] = run.startsUpTo[slot];
      run.arrivedUpTo[slot] = run.nTasks;
      this.complete(slot);
      this.readArrivals(slot);
      run.arrivedUpTo[slot + 1] = run.nTasks;
      this.dispatch(slot);
      this.sum(slot);
    }
  }

  readSetup() {
    const { run, setup } = this;
    this.classes = Array.from({ length: run.nQueues }, () => setup.number());
    for (let queue = 0; queue < run.nQueues; queue++) {
      const n = setup.number();
      for (let i = 0; i < n; i++) this.join(this.addTask(queue, run.first - setup.number()), queue);
      run.waiting[queue] = n;
    }
    for (let server = 0; server < run.nServers; server++) {
      if (!setup.number()) continue;
      const queue = setup.number(), tier = setup.number(), start = run.first - setup.number();
      const row = this.addTask(queue, run.first - setup.number());
      run.tier[row] = tier;
      run.start[row] = start;
      run.server[row] = server;
      run.running[server] = row;
    }
  }

  addTask(queue, arrival) {
    const { run } = this, row = run.nTasks++;
    run.queue[row] = queue;
    run.arrival[row] = arrival;
    if (run.about.names) {
      run.number[row] = this.names.number();
      run.replicas.push(Array.from({ length: this.replicas.number() }, () => this.replicas.number()));
    }
    return row;
  }

  join(row, queue) {
    if (this.tail[queue] < 0) this.head[queue] = row;
    else this.after[this.tail[queue]] = row;
    this.tail[queue] = row;
  }

  /** Take the task at a place of a queue. */
  leave(queue, place) {
    let before = -1, row = this.head[queue];
    for (let i = 0; i < place; i++) {
      before = row;
      row = this.after[row];
    }
    const after = this.after[row];
    if (before < 0) this.head[queue] = after;
    else this.after[before] = after;
    if (after < 0) this.tail[queue] = before;
    return row;
  }

  complete(slot) {
    const run = this.run;
    for (let server = 0; server < run.nServers; server++) {
      const row = run.running[server];
      if (row < 0 || !this.done[run.tier[row]].bit()) continue;
      run.running[server] = -1;
      run.end[row] = run.first + slot;
      run.ends[run.endsUpTo[slot + 1]++] = row;
      run.nDone[slot]++;
    }
    run.times[slot] = this.times.number();
  }

  readArrivals(slot) {
    const { run, classes } = this, { waiting, running, owners } = run;
    for (let queue = 0; queue < run.nQueues; queue++) {
      const isServed = owners[queue] >= 0 && running[owners[queue]] >= 0;
      const length = Math.min(waiting[queue] + isServed, LENGTHS - 1);
      const n = this.arrive(classes[queue] * LENGTHS + length);
      for (let i = 0; i < n; i++) this.join(this.addTask(queue, run.first + slot), queue);
      waiting[queue] += n;
    }
  }

  dispatch(slot) {
    const { run } = this, waiting = run.waiting;
    const longest = waiting.reduce((a, b) => Math.max(a, b), 0);
    if (!longest) return;
    const crowd = 2 * Math.min(longest, CROWDS);
    const takers = [], helpers = [];
    for (let server = 0; server < run.nServers; server++) {
      if (run.running[server] >= 0) continue;
      const own = run.queuesOf[server].find((queue) => waiting[queue] > 0) ?? -1;
      const kind = this.take(crowd + (own >= 0));
      if (kind === 0) continue;
      // From an own queue, the tier is that of its place among them, else the last one.
      const expected = kind === 2 ? run.nTiers - 1 : Math.min(run.queuesOf[server].indexOf(own), run.nTiers - 1);
      const taker = { server, queue: own, expected };
      takers.push(taker);
      if (kind === 2) helpers.push(taker);
    }
    this.digits.startSlot();
    if (helpers.length) this.matchHelpers(helpers, longest);
    this.takeTasks(takers, slot);
  }

  matchHelpers(helpers, longest) {
    const waiting = this.run.waiting, left = [];
    for (let queue = 0; queue < this.run.nQueues; queue++) {
      if (!waiting[queue]) continue;
      const n = this.help(Math.min(longest - waiting[queue], DEPTHS - 1));
      if (n) left.push({ queue, n });
    }
    for (const helper of helpers) {
      const place = this.digits.next(left.length);
      helper.queue = left[place].queue;
      if (!--left[place].n) left.splice(place, 1);
    }
  }

  takeTasks(takers, slot) {
    const { run } = this, waiting = run.waiting, left = new Map();
    for (const { queue } of takers) left.set(queue, (left.get(queue) ?? 0) + 1);
    const inLine = new Map([...left.keys()].map((queue) => [queue, waiting[queue]]));
    for (const taker of takers) {
      const counts = run.about.fifo ? left : inLine, { queue } = taker;
      taker.row = this.leave(queue, this.digits.next(counts.get(queue)));
      counts.set(queue, counts.get(queue) - 1);
    }
    for (const { server, queue, row, expected } of takers) {
      const symbol = this.tier(expected);
      run.tier[row] = symbol ? symbol - 1 : expected;
      run.start[row] = run.first + slot;
      run.server[row] = server;
      run.starts[run.startsUpTo[slot + 1]++] = row;
      run.running[server] = row;
      waiting[queue]--;
      if (run.owners[queue] !== server) run.nMoved[slot]++;
    }
  }

  /** Keep what is drawn along the time axis. */
  sum(slot) {
    const { run } = this;
    for (let queue = 0; queue < run.nQueues; queue++) {
      run.nWaiting[slot] += run.waiting[queue];
    }
    for (let server = 0; server < run.nServers; server++) {
      run.longest[slot] = Math.max(run.longest[slot], run.waitingAt(server));
      if (run.running[server] < 0) continue;
      run.nBusy[slot]++;
      run.busy[run.tier[run.running[server]]][slot]++;
    }
  }
}

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function asBytes(data) {
  if (typeof data === "string") return Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
}

/** Read the runs of a page: the description, and one piece of data a run. */
export async function readRuns(meta, data) {
  const runs = [];
  for (let i = 0; i < meta.runs.length; i++) runs.push(new Run(meta, meta.runs[i], await inflated(asBytes(data[i]))));
  return runs;
}

// ---------------------------------------------------------------------------------------------
// Words

const count = (n, thing) => `${n.toLocaleString("en")} ${thing}${n === 1 ? "" : "s"}`;
const tidy = (name) => name.replaceAll("_", "-");
const decimal = (x) => (Number.isNaN(x) ? "-" : x.toLocaleString("en", { maximumFractionDigits: x < 10 ? 2 : 1 }));

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** What a run and the description say of servers and tasks, in words. */
class Narrator {
  constructor(meta, run) {
    this.meta = meta;
    this.run = run;
  }

  tierName(tier) {
    return tidy(this.meta.tiers[tier]);
  }

  kind(server) {
    return { h: "helper", b: "beneficiary" }[this.meta.kinds?.[server]] ?? null;
  }

  server(server) {
    const places = this.meta.levels.map(({ name, of }) => `${name} ${of[server]}`);
    return [`server ${server}`, ...places, this.kind(server)].filter(Boolean).join(", ");
  }

  queue(queue) {
    const { run } = this, owner = run.owners[queue];
    if (owner < 0) return run.shared.length > 1 ? `common queue ${run.shared.indexOf(queue)}` : "the common queue";
    const own = run.queuesOf[owner];
    return `queue ${own.length > 1 ? `${owner}.${own.indexOf(queue)}` : owner}`;
  }

  task(row) {
    const { run } = this;
    return run.about.names ? `task ${run.number[row].toLocaleString("en")}` : `a task of slot ${run.arrival[row]}`;
  }

  /** What a server does at the end of a slot. */
  doing(server, slot) {
    const { run } = this, row = run.running[server];
    if (row < 0) return "idle";
    const tier = this.tierName(run.tier[row]), now = run.first + slot;
    const since = run.start[row] === now ? "from this slot on" : `since slot ${run.start[row]}`;
    if (!run.about.pairs) return `runs a ${tier} task`;
    const from = run.owners[run.queue[row]] === server ? "" : ` from ${this.queue(run.queue[row])}`;
    return `runs ${this.task(row)}, ${tier}${from}, ${since}`;
  }

  short(server, slot) {
    const { run } = this, row = run.running[server];
    const state = row < 0 ? "idle" : this.tierName(run.tier[row]);
    const kind = this.kind(server);
    return `server ${server}${kind ? ` (${kind})` : ""}: ${state}, ${run.waitingAt(server).toLocaleString("en")} waiting`;
  }

  /** The story of a task as sentences; what has not happened by the slot is told as to come. */
  story(row) {
    const { run } = this, sentences = [];
    if (run.replicas) sentences.push(`Its chunk is on servers ${run.replicas[row].join(", ")}.`);
    sentences.push(`It arrived in slot ${run.arrival[row]} and joined ${this.queue(run.queue[row])}.`);
    if (run.start[row] < 0) return [...sentences, "It is still waiting as the recording ends."];
    const waited = run.start[row] - run.arrival[row], tier = this.tierName(run.tier[row]);
    const wait = waited ? `It waited ${count(waited, "slot")}` : "It did not wait";
    sentences.push(`${wait}: server ${run.server[row]} took it in slot ${run.start[row]} (${tier}).`);
    if (run.end[row] < 0) return [...sentences, "It is still in service as the recording ends."];
    const time = run.end[row] - run.arrival[row];
    return [...sentences, `It was complete in slot ${run.end[row]}: a completion time of ${count(time, "slot")}.`];
  }

  /** A slot in a sentence. */
  slot(slot) {
    const { run } = this, busy = run.nBusy[slot];
    const tiers = this.meta.tiers.map((name, tier) => `${run.busy[tier][slot]} ${tidy(name)}`).join(", ");
    return (
      `${run.about.policy}: ${count(run.nWaiting[slot] + busy, "task")} in the system, ${run.nWaiting[slot].toLocaleString("en")} ` +
      `waiting; ${count(run.nServers - busy, "server")} idle, ${tiers}; ${count(run.nMoved[slot], "task")} taken from other queues`
    );
  }
}

// ---------------------------------------------------------------------------------------------
// Where servers are drawn

/** Places of the servers: racks as boxes in rows, servers as cells in them, as large as fits. */
class Floor {
  constructor(meta, width, height) {
    const rack = meta.levels[0]?.of ?? new Array(meta.servers).fill(0);
    this.racks = grouped(rack, rack.reduce((a, b) => Math.max(a, b), 0) + 1, meta.servers);
    this.hasBoxes = meta.levels.length > 0;
    this.name = meta.levels[0]?.name ?? "";
    this.best(width, height);
    this.place(width);
  }

  /** Find the largest cell with which all fits. */
  best(width, height) {
    const largest = this.racks.reduce((n, rack) => Math.max(n, rack.length), 1);
    let low = 2.5, high = 64;
    for (let i = 0; i < 24; i++) {
      const cell = (low + high) / 2;
      if (this.fit(cell, largest, width) <= height) low = cell;
      else high = cell;
    }
    this.cell = Math.max(2.5, Math.floor(low * 4) / 4);
    this.fit(this.cell, largest, width);
  }

  /** Choose how many servers of a rack stand side by side; return the height that all take. */
  fit(cell, largest, width) {
    const isSmall = cell < 9;
    this.tall = cell * 2.3;
    this.pad = this.hasBoxes ? Math.min(6, Math.max(2, cell / 3)) : 0;
    this.head = this.hasBoxes && !isSmall ? 14 : 0;
    this.gap = this.hasBoxes ? Math.max(3, this.pad) : 0;
    let least = Infinity;
    const widest = Math.max(1, Math.min(largest, Math.floor((width - 2 * this.pad) / cell)));
    for (let rows = 1; rows <= (this.hasBoxes ? 8 : Infinity); rows++) {
      const columns = this.hasBoxes ? Math.ceil(largest / rows) : widest;
      if (columns > widest) continue;
      const perLine = this.hasBoxes ? Math.max(1, Math.floor((width + this.gap) / (columns * cell + 2 * this.pad + this.gap))) : 1;
      const even = this.hasBoxes ? columns : Math.ceil(largest / Math.ceil(largest / columns));
      const tall = Math.ceil(largest / columns) * this.tall + 2 * this.pad + this.head + this.gap;
      const total = Math.ceil(this.racks.length / perLine) * tall;
      if (total < least) {
        least = total;
        Object.assign(this, { columns: even, perLine: Math.min(perLine, this.racks.length), boxTall: tall - this.gap, boxWide: even * cell + 2 * this.pad });
      }
      if (!this.hasBoxes || columns === 1) break;
    }
    return least;
  }

  place(width) {
    const n = this.racks.reduce((sum, rack) => sum + rack.length, 0);
    this.x = new Float32Array(n);
    this.y = new Float32Array(n);
    this.boxes = this.racks.map((servers, i) => {
      const x = (i % this.perLine) * (this.boxWide + this.gap);
      const y = Math.floor(i / this.perLine) * (this.boxTall + this.gap);
      servers.forEach((server, j) => {
        this.x[server] = x + this.pad + (j % this.columns) * this.cell;
        this.y[server] = y + this.pad + this.head + Math.floor(j / this.columns) * this.tall;
      });
      return { x, y, label: `${this.name} ${i}` };
    });
    this.width = Math.min(width, this.perLine * (this.boxWide + this.gap) - this.gap);
    this.height = Math.ceil(this.racks.length / this.perLine) * (this.boxTall + this.gap) - this.gap;
  }

  /** The server at a point; -1 if there is none. */
  at(x, y) {
    for (let m = 0; m < this.x.length; m++) {
      if (x >= this.x[m] && x < this.x[m] + this.cell && y >= this.y[m] && y < this.y[m] + this.tall) return m;
    }
    return -1;
  }

  /** The nearest server in a direction, from the middle of one. */
  next(server, dx, dy) {
    let best = server, least = Infinity;
    for (let m = 0; m < this.x.length; m++) {
      const x = this.x[m] - this.x[server], y = this.y[m] - this.y[server];
      const along = x * dx + y * dy, across = Math.abs(x * dy) + Math.abs(y * dx);
      if (along <= 0.5) continue;
      const far = along + 4 * across;
      if (far < least) [best, least] = [m, far];
    }
    return best;
  }
}

// ---------------------------------------------------------------------------------------------
// Drawing

function shapePath(path, shape, x, y, size) {
  const r = size / 2, cx = x + r, cy = y + r;
  if (shape === "square") path.rect(x, y, size, size);
  else if (shape === "circle") {
    path.moveTo(x + size, cy);
    path.arc(cx, cy, r, 0, 2 * Math.PI);
  } else {
    const corners = {
      diamond: [[0, -1.12], [1.12, 0], [0, 1.12], [-1.12, 0]],
      triangle: [[0, -1.1], [1.15, 0.95], [-1.15, 0.95]],
      hexagon: [[-0.6, -1], [0.6, -1], [1.1, 0], [0.6, 1], [-0.6, 1], [-1.1, 0]],
    }[shape];
    corners.forEach(([dx, dy], i) => path[i ? "lineTo" : "moveTo"](cx + dx * r, cy + dy * r));
    path.closePath();
  }
}

/** The shape and the name of the colour of each tier. */
function looks(nTiers) {
  return Array.from({ length: nTiers }, (_, tier) =>
    tier === nTiers - 1 && tier > 0 ? { shape: "diamond", colour: "--remote" } : { shape: SHAPES[Math.min(tier, 3)], colour: ["--local", "--near", "--far"][Math.min(tier, 2)] });
}

function sized(canvas, width, height) {
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  return context;
}

/** One run on a canvas: servers below, tasks on the move above. */
class Stage {
  constructor(view, meta, run) {
    Object.assign(this, { view, meta, run, narrator: new Narrator(meta, run), cursor: -1 });
    this.looks = looks(run.nTiers);
    this.below = make("canvas", { "aria-hidden": "true" });
    this.above = make("canvas", {
      tabindex: "0",
      role: "application",
      "aria-roledescription": "cluster",
      "aria-label": `Servers under ${run.about.policy}. Arrow keys move from server to server, Enter keeps one in view.`,
    });
    this.numbers = make("p", { class: "csr-numbers" });
    this.common = run.shared.length ? make("p", { class: "csr-common" }) : null;
    this.box = make("div", { class: "csr-canvases" }, this.below, this.above);
    const name = make("h2", {}, make("span", { class: "csr-swatch", "aria-hidden": "true" }), run.about.policy);
    this.swatch = name.firstChild;
    this.element = make("section", { class: "csr-stage", "aria-label": run.about.policy }, name, this.numbers, this.box);
    this.listen();
  }

  listen() {
    const at = (event) => {
      const box = this.above.getBoundingClientRect();
      return this.floor.at(event.clientX - box.left - this.left, event.clientY - box.top - this.top);
    };
    this.above.addEventListener("pointermove", (event) => this.view.hover(this, at(event), event));
    this.above.addEventListener("pointerleave", () => this.view.hover(this, -1));
    this.above.addEventListener("click", (event) => this.view.pin(this, at(event)));
    this.above.addEventListener("blur", () => {
      this.cursor = -1;
      this.view.hover(this, -1);
    });
    this.above.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (step) this.cursor = this.cursor < 0 ? 0 : this.floor.next(this.cursor, ...step);
    else if (event.key === "Enter" && this.cursor >= 0) this.view.pin(this, this.cursor);
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.view.hover(this, this.cursor, null, true);
  }

  /** Lay everything out anew. */
  resize(width, height) {
    const common = this.view.hasCommon ? 30 : 0; // in every panel, so that servers stand side by side
    this.top = common + 4;
    this.floor = new Floor(this.meta, width - 2, height - common - 6);
    this.left = Math.max(1, (width - this.floor.width) / 2);
    this.wide = width;
    const tall = Math.max(60, this.top + this.floor.height + 6);
    this.contextBelow = sized(this.below, width, tall);
    this.contextAbove = sized(this.above, width, tall);
    this.box.style.height = `${tall}px`;
    this.tall = tall;
    const { cell } = this.floor;
    this.tile = Math.max(2, Math.round(cell * (cell < 8 ? 0.82 : 0.66)));
    this.mark = cell >= 5 ? Math.max(1.5, cell * 0.09) : 0;
    this.barTall = this.floor.tall - this.tile - 2 * this.mark - 4;
    this.makeMarks();
  }

  makeMarks() {
    const { x, y, cell, tall } = this.floor, inset = (cell - this.tile) / 2;
    this.marks = { h: new Path2D(), b: new Path2D() };
    for (let m = 0; this.mark && this.meta.kinds && m < x.length; m++) {
      const bottom = this.top + y[m] + tall - this.mark - 0.5, left = this.left + x[m] + inset;
      if (this.meta.kinds[m] === "b") this.marks.b.rect(left, bottom, this.tile, this.mark);
      else for (const share of [0, 1]) this.marks.h.rect(left + share * (this.tile - this.mark), bottom, this.mark, this.mark);
    }
  }

  tileX(m) {
    return this.left + this.floor.x[m] + (this.floor.cell - this.tile) / 2;
  }

  tileY(m) {
    return this.top + this.floor.y[m] + this.floor.tall - this.tile - 2 * this.mark - 1.5;
  }

  /** Draw the servers at the end of a slot. */
  draw(slot, colours, scale) {
    this.run.goTo(slot);
    const context = this.contextBelow, { floor } = this;
    context.clearRect(0, 0, this.wide, this.tall);
    if (floor.hasBoxes) this.drawBoxes(context, colours);
    this.drawBars(context, colours, scale);
    this.drawTiles(context, colours);
    context.fillStyle = colours["--fg"];
    context.fill(this.marks.b);
    context.fillStyle = colours["--muted"];
    context.fill(this.marks.h);
    if (this.run.shared.length) this.drawCommon(context, colours);
  }

  drawBoxes(context, colours) {
    const { boxes, boxWide, boxTall, head, pad } = this.floor;
    context.fillStyle = colours["--panel"];
    for (const { x, y } of boxes) context.fillRect(this.left + x, this.top + y, boxWide, boxTall);
    if (!head) return;
    context.fillStyle = colours["--muted"];
    context.font = "10.5px system-ui, sans-serif";
    context.textBaseline = "alphabetic";
    context.textAlign = "left";
    for (const { x, y, label } of boxes) context.fillText(label, this.left + x + pad, this.top + y + 11.5, boxWide - pad);
  }

  /** Draw what waits as bars, in pieces of one task each where they can be told apart. */
  drawBars(context, colours, scale) {
    const { run, floor } = this, unit = Math.min(this.barTall / scale, this.tile), wide = Math.max(1.5, this.tile * 0.7);
    const gap = unit >= 4 ? 1 : 0, inset = (this.tile - wide) / 2, path = new Path2D();
    for (let m = 0; m < run.nServers; m++) {
      const n = run.waitingAt(m);
      if (!n) continue;
      const x = this.tileX(m) + inset, bottom = this.tileY(m) - 2;
      if (gap) for (let i = 1; i <= n; i++) path.rect(x, bottom - i * unit, wide, unit - gap);
      else path.rect(x, bottom - Math.max(1, n * unit), wide, Math.max(1, n * unit));
    }
    context.fillStyle = colours["--bar"];
    context.fill(path);
    if (floor.cell < 26 || gap) return;
    context.font = "10px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "bottom";
    context.fillStyle = colours["--fg"];
    for (let m = 0; m < run.nServers; m++) {
      const n = run.waitingAt(m);
      if (n) context.fillText(String(n), this.tileX(m) + this.tile / 2, Math.max(this.tileY(m) - 3 - n * unit, this.top + floor.y[m] + 10));
    }
  }

  drawTiles(context, colours) {
    const { run, tile } = this, idle = new Path2D(), busy = this.looks.map(() => new Path2D());
    const thin = tile > 5 ? 1.2 : 0.8;
    for (let m = 0; m < run.nServers; m++) {
      const x = this.tileX(m), y = this.tileY(m), row = run.running[m];
      if (row < 0) idle.rect(x + thin, y + thin, tile - 2 * thin, tile - 2 * thin);
      else shapePath(busy[run.tier[row]], this.looks[run.tier[row]].shape, x, y, tile);
    }
    context.lineWidth = thin;
    context.strokeStyle = colours["--idle"];
    context.stroke(idle);
    busy.forEach((path, tier) => {
      context.fillStyle = colours[this.looks[tier].colour];
      context.fill(path);
    });
  }

  /** Draw the queues that belong to no server as bars across. */
  drawCommon(context, colours) {
    const { run } = this, n = run.shared.reduce((sum, queue) => sum + run.waiting[queue], 0);
    const most = this.view.mostCommon, wide = this.wide - 2;
    context.fillStyle = colours["--panel"];
    context.fillRect(1, 2, wide, 22);
    context.fillStyle = colours["--bar"];
    context.fillRect(1, 2, most ? (wide * n) / most : 0, 22);
    const label = `common queue: ${n.toLocaleString("en")} waiting`;
    context.font = "12px system-ui, sans-serif";
    context.textBaseline = "middle";
    context.textAlign = "left";
    const pill = context.measureText(label).width + 12;
    context.fillStyle = colours["--bg"];
    context.fillRect(5, 5, pill, 16);
    context.fillStyle = colours["--fg"];
    context.fillText(label, 11, 13.5);
  }

  /** Where a task waits: above its server, or in the bar of the common queue. */
  source(row) {
    const owner = this.run.owners[this.run.queue[row]];
    if (owner < 0) return [Math.min(this.wide - 10, 20 + (this.run.server[row] / this.run.nServers) * (this.wide - 40)), 24];
    return [this.tileX(owner) + this.tile / 2, this.tileY(owner) - 4];
  }

  target(server) {
    return [this.tileX(server) + this.tile / 2, this.tileY(server) + this.tile / 2];
  }

  /** Draw the tasks on the move, and what is looked at. `share` is how much of the slot has passed. */
  drawAbove(slot, share, colours, mode) {
    const context = this.contextAbove;
    context.clearRect(0, 0, this.wide, this.tall);
    const moves = this.run.moves(slot);
    if (this.run.about.pairs) this.drawMoves(context, moves, share, colours, mode);
    const { hovered, pinned } = this.view;
    for (const [seen, width] of [[hovered, 1.5], [pinned, 3]]) {
      if (seen?.stage !== this) continue;
      context.strokeStyle = colours["--focus"];
      context.lineWidth = width;
      const { x, y, cell, tall } = this.floor;
      context.strokeRect(this.left + x[seen.server] + 0.5, this.top + y[seen.server] + 0.5, cell - 1, tall - 1);
    }
    this.drawFollowed(context, colours);
  }

  drawMoves(context, moves, share, colours, mode) {
    const looked = this.view.pinned?.stage === this ? this.view.pinned.server : -1;
    const isCrowded = moves.length > MOST_DOTS || mode === "fast";
    const progress = Math.min(1, share / 0.8), eased = progress * progress * (3 - 2 * progress);
    context.lineCap = "round";
    this.looks.forEach(({ colour }, tier) => {
      const rows = moves.filter((row) => this.run.tier[row] === tier);
      if (!rows.length) return;
      const lines = new Path2D(), dots = new Path2D(), bold = new Path2D();
      const r = Math.max(2, Math.min(6, this.floor.cell * 0.2));
      for (const row of rows) {
        const [x0, y0] = this.source(row), [x1, y1] = this.target(this.run.server[row]);
        const lift = Math.min(40, Math.hypot(x1 - x0, y1 - y0) * 0.15), cx = (x0 + x1) / 2, cy = (y0 + y1) / 2 - lift;
        const isLooked = looked >= 0 && (looked === this.run.server[row] || looked === this.run.owners[this.run.queue[row]]);
        const line = isLooked ? bold : lines;
        line.moveTo(x0, y0);
        line.quadraticCurveTo(cx, cy, x1, y1);
        if (mode !== "moving" || isCrowded) continue;
        const a = (1 - eased) ** 2, b = 2 * eased * (1 - eased), c = eased ** 2;
        const x = a * x0 + b * cx + c * x1, y = a * y0 + b * cy + c * y1;
        dots.moveTo(x + r, y);
        dots.arc(x, y, r, 0, 2 * Math.PI);
      }
      context.strokeStyle = colours[colour];
      context.lineWidth = isCrowded ? 0.7 : 1.2;
      context.globalAlpha = isCrowded ? Math.max(0.12, Math.min(0.5, 30 / rows.length)) : 0.55;
      context.stroke(lines);
      context.globalAlpha = 1;
      context.lineWidth = 2.5;
      context.stroke(bold);
      context.fillStyle = colours["--fg"];
      context.fill(dots);
    });
  }

  /** Ring the place of the task whose story is shown. */
  drawFollowed(context, colours) {
    const row = this.view.followed?.get(this) ?? -1, now = this.run.first + this.run.slot, { run } = this;
    if (row < 0 || run.arrival[row] > now || (run.end[row] >= 0 && run.end[row] <= now)) return;
    const isWaiting = run.start[row] < 0 || run.start[row] > now;
    const [x, y] = isWaiting ? this.source(row) : this.target(run.server[row]);
    context.strokeStyle = colours["--focus"];
    context.lineWidth = 3;
    context.beginPath();
    context.arc(x, y, Math.max(8, this.floor.cell * 0.55), 0, 2 * Math.PI);
    context.stroke();
  }

  showNumbers(slot) {
    const { run } = this, inSystem = run.nWaiting[slot] + run.nBusy[slot];
    const parts = [
      ["in the system", inSystem], ["waiting", run.nWaiting[slot]], ["idle", run.nServers - run.nBusy[slot]],
      ["moved", run.nMoved[slot]], [`mean completion time`, decimal(run.meanTime(slot))],
    ];
    this.numbers.replaceChildren(...parts.map(([name, value]) => make("span", {}, make("b", {}, value.toLocaleString("en")), ` ${name}`)));
  }
}

/** Two curves per run along the time axis. */
class Chart {
  constructor(runs, titles) {
    this.runs = runs;
    this.plots = titles.map((title) => ({ title, canvas: make("canvas", { "aria-hidden": "true" }) }));
    this.cursor = make("div", { class: "csr-cursor", "aria-hidden": "true" });
    this.boxes = this.plots.map(({ title, canvas }) => make("figure", {}, make("figcaption", {}, title), canvas));
    this.element = make("div", { class: "csr-chart" }, ...this.boxes, this.cursor);
    this.left = 44;
  }

  values(kind, run, slot) {
    return kind ? run.meanTime(slot) : run.nWaiting[slot] + run.nBusy[slot];
  }

  draw(width, colours, lineColour) {
    this.width = width;
    this.plots.forEach(({ canvas }, kind) => {
      const tall = 66, context = sized(canvas, width, tall), right = width - 8, n = this.runs[0].nSlots;
      const curves = this.runs.map((run) => Array.from({ length: n }, (_, slot) => this.values(kind, run, slot)));
      const most = curves.flat().reduce((a, b) => (b > a ? b : a), 1) * 1.04;
      const y = (value) => tall - 8 - (value / most) * (tall - 16);
      context.strokeStyle = colours["--line"];
      context.fillStyle = colours["--muted"];
      context.font = "11px system-ui, sans-serif";
      context.textAlign = "right";
      context.textBaseline = "middle";
      for (const tick of ticks(most)) {
        context.fillText(tick.toLocaleString("en"), this.left - 6, y(tick));
        context.beginPath();
        context.moveTo(this.left, y(tick));
        context.lineTo(right, y(tick));
        context.stroke();
      }
      curves.forEach((curve, i) => {
        context.beginPath();
        let isDown = false;
        curve.forEach((value, slot) => {
          if (Number.isNaN(value)) return void (isDown = false);
          context[isDown ? "lineTo" : "moveTo"](this.x(slot), y(value));
          isDown = true;
        });
        context.strokeStyle = lineColour(this.runs[i]);
        context.setLineDash(this.runs[i].about.dash);
        context.lineWidth = 1.7;
        context.stroke();
      });
      context.setLineDash([]);
    });
  }

  x(slot) {
    return this.left + (slot / Math.max(1, this.runs[0].nSlots - 1)) * (this.width - 8 - this.left);
  }

  slotAt(x) {
    const share = (x - this.left) / (this.width - 8 - this.left);
    return Math.round(Math.max(0, Math.min(1, share)) * (this.runs[0].nSlots - 1));
  }

  show(slot) {
    this.cursor.style.transform = `translateX(${this.x(slot)}px)`;
  }
}

function ticks(most) {
  const power = 10 ** Math.floor(Math.log10(most)), step = [0.5, 1, 2, 5].map((f) => f * power).find((s) => most / s < 4) ?? 5 * power;
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => i * step);
}

// ---------------------------------------------------------------------------------------------
// The page

/** Everything together: stages, chart, controls, stories, and the clock that leads them. */
class View {
  constructor(el, meta, runs) {
    Object.assign(this, { el, meta, runs, clock: 0, slot: 0, isPlaying: false, last: 0, told: 0 });
    this.hovered = this.pinned = this.followed = null;
    this.calm = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.dark = window.matchMedia("(prefers-color-scheme: dark)");
    this.stages = runs.map((run) => new Stage(this, meta, run));
    this.scales = runs.map((run) => run.longest.reduce((a, b) => Math.max(a, b), 4));
    this.hasCommon = runs.some((run) => run.shared.length > 0);
    this.mostCommon = Math.max(0, ...runs.map((run) => mostIn(run)));
    this.chart = new Chart(runs, ["Tasks in the system", `Mean completion time, slots (tasks that completed in the last ${WINDOW} slots)`]);
    this.build();
    this.abort = new AbortController();
    const options = { signal: this.abort.signal };
    // A page of its own has all keys; in a notebook those with the focus in the view, and no others.
    this.home = this.root.getRootNode();
    const listener = this.home === document && !meta.height ? document : this.root;
    listener.addEventListener("keydown", (event) => this.key(event), options);
    for (const media of [this.calm, this.dark]) media.addEventListener("change", () => this.restyle(), options);
    this.watcher = new ResizeObserver(() => this.layOut());
    this.watcher.observe(this.panels);
    this.setSpeed(this.calm.matches ? 2 : runs[0].nSlots > 200 ? 10 : 5);
    this.layOut();
    this.tell();
  }

  destroy() {
    this.abort.abort();
    this.watcher.disconnect();
    cancelAnimationFrame(this.frame);
    this.root.remove();
  }

  // Building

  build() {
    const { meta } = this, n = this.runs[0].nSlots, last = meta.first + n - 1;
    const button = (text, label, act) => make("button", { type: "button", "aria-label": label, title: label, onclick: act }, text);
    this.playButton = button("Play", "Play (space)", () => this.toggle());
    this.slider = make("input", {
      type: "range", min: meta.first, max: last, value: meta.first, "aria-label": "Slot", class: "csr-slider",
      oninput: () => this.jump(this.slider.valueAsNumber - meta.first),
    });
    this.slotField = make("input", {
      type: "number", min: meta.first, max: last, value: meta.first, "aria-label": "Go to slot",
      onchange: () => this.jump(this.slotField.valueAsNumber - meta.first),
    });
    this.speedField = make("select", { "aria-label": "Speed", onchange: () => this.setSpeed(Number(this.speedField.value)) },
      ...SPEEDS.map((speed) => make("option", { value: speed }, `${speed === 0.5 ? "1/2" : speed} ${speed > 1 ? "slots" : "slot"}/s`)));
    this.themeField = make("select", { onchange: () => this.restyle() },
      ...["auto", "light", "dark"].map((name) => make("option", { value: name }, name)));
    this.sameScale = make("input", { type: "checkbox", checked: true, onchange: () => this.redraw() });
    this.panels = make("div", { class: "csr-panels" }, ...this.stages.map((stage) => stage.element));
    if (this.stages.length > 1) this.panels.classList.add("csr-two");
    this.chart.element.addEventListener("pointerdown", (event) => this.scrub(event));
    this.chart.element.addEventListener("pointermove", (event) => event.buttons && this.scrub(event));
    this.tip = make("div", { class: "csr-tip", "aria-hidden": "true", hidden: true });
    this.live = make("p", { class: "csr-hidden", "aria-live": "polite" });
    this.storyBox = make("div", { class: "csr-story" });
    const controls = make("div", { class: "csr-controls", role: "group", "aria-label": "Playback" },
      this.playButton, button("Back", "Back one slot (left arrow)", () => this.step(-1)), button("Step", "Step one slot on (right arrow)", () => this.step(1)),
      make("label", {}, "slot ", this.slotField), this.slider, make("label", {}, "speed ", this.speedField));
    const choices = make("div", { class: "csr-choices" },
      ...(this.runs.length > 1 ? [make("label", {}, this.sameScale, " same scale of the bars")] : []), make("label", { class: "csr-theme" }, "theme ", this.themeField));
    const heading = make("div", {}, make("h1", {}, meta.title), make("p", { class: "csr-about" }, meta.subtitle));
    this.root = make("div", { class: "csr", "data-theme": "auto" }, make("header", {}, heading, choices), this.panels, controls, this.chart.element,
      make("div", { class: "csr-foot" }, make("section", { "aria-label": "Story" }, this.storyBox), make("aside", { "aria-label": "Legend and help" }, this.legend(), ...help(meta, this.runs))),
      this.tip, this.live);
    this.el.append(this.root);
  }

  legend() {
    const item = (svg, text) => make("li", {}, svg, text);
    const tiers = this.meta.tiers.map((name, tier) => item(icon(looks(this.meta.tiers.length)[tier]), `${tidy(name)} task in service`));
    const marks = this.meta.kinds ? [item(icon({ mark: "b" }), "beneficiary"), item(icon({ mark: "h" }), "helper")] : [];
    return make("ul", { class: "csr-legend" }, item(icon({ shape: "idle" }), "idle server"), ...tiers, item(icon({ shape: "bar" }), "waiting tasks, above their server"),
      item(icon({ shape: "move" }), "task taken from another queue"), ...marks);
  }

  // Time

  toggle() {
    this.isPlaying = !this.isPlaying;
    if (this.isPlaying && this.slot >= this.runs[0].nSlots - 1) this.clock = 0;
    this.playButton.textContent = this.isPlaying ? "Pause" : "Play";
    this.playButton.setAttribute("aria-label", this.isPlaying ? "Pause (space)" : "Play (space)");
    this.last = performance.now();
    if (this.isPlaying) this.frame = requestAnimationFrame((now) => this.tick(now));
    else {
      cancelAnimationFrame(this.frame);
      this.drawAbove();
      this.tell();
    }
  }

  tick(now) {
    // A frame may bear a time from before the click that started it.
    this.clock += (Math.max(0, Math.min(now - this.last, 250)) / 1000) * this.speed;
    this.last = now;
    const end = this.runs[0].nSlots - 1;
    if (this.clock >= end + 1) {
      this.clock = end;
      this.show(end);
      this.toggle();
      return;
    }
    const slot = Math.min(end, Math.floor(this.clock));
    if (slot !== this.slot) this.show(slot);
    else this.drawAbove();
    this.frame = requestAnimationFrame((later) => this.tick(later));
  }

  step(n) {
    if (this.isPlaying) this.toggle();
    this.jump(this.slot + n);
  }

  jump(slot) {
    if (!Number.isFinite(slot)) return;
    this.clock = Math.max(0, Math.min(this.runs[0].nSlots - 1, Math.round(slot)));
    this.show(this.clock);
    if (!this.isPlaying) this.tell();
  }

  scrub(event) {
    const box = this.chart.element.getBoundingClientRect();
    this.jump(this.chart.slotAt(event.clientX - box.left));
  }

  setSpeed(speed) {
    this.speed = speed;
    this.speedField.value = String(speed);
  }

  key(event) {
    const tag = event.target.tagName;
    if (event.ctrlKey || event.metaKey || event.altKey || tag === "SELECT" || tag === "SUMMARY") return;
    if (tag === "INPUT" && event.target !== this.slider) return;
    const isSlider = event.target === this.slider;
    const faster = (n) => this.setSpeed(SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, SPEEDS.indexOf(this.speed) + n))]);
    const acts = {
      " ": tag === "BUTTON" ? null : () => this.toggle(), k: () => this.toggle(),
      ArrowRight: isSlider ? null : () => this.step(1), ArrowLeft: isSlider ? null : () => this.step(-1),
      PageDown: isSlider ? null : () => this.step(10), PageUp: isSlider ? null : () => this.step(-10),
      Home: isSlider ? null : () => this.jump(0), End: isSlider ? null : () => this.jump(this.runs[0].nSlots - 1),
      "+": () => faster(1), "-": () => faster(-1), Escape: () => this.pin(null, -1),
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  }

  // Showing

  show(slot) {
    this.slot = slot;
    this.redraw();
    this.slider.value = String(this.meta.first + slot);
    this.chart.show(slot);
    const now = performance.now();
    // Text ten times a second is enough to read, and spares the time for the picture.
    if (this.isPlaying && now - this.told < 100) return;
    this.told = now;
    if (this.home.activeElement !== this.slotField) this.slotField.value = String(this.meta.first + slot);
    this.slider.setAttribute("aria-valuetext", `slot ${this.meta.first + slot}`);
    for (const stage of this.stages) stage.showNumbers(slot);
    this.showStory();
  }

  redraw() {
    const scale = Math.max(...this.scales);
    this.stages.forEach((stage, i) => stage.draw(this.slot, this.colours, this.sameScale.checked ? scale : this.scales[i]));
    this.drawAbove();
  }

  drawAbove() {
    const mode = !this.isPlaying || this.calm.matches ? "still" : this.speed > 20 ? "fast" : "moving";
    for (const stage of this.stages) stage.drawAbove(this.slot, this.clock - this.slot, this.colours, mode);
  }

  layOut() {
    const width = this.panels.clientWidth;
    if (!width) return;
    const isTwo = this.stages.length > 1 && width > 760, gap = 20;
    const each = isTwo ? Math.floor((width - gap * (this.stages.length - 1)) / this.stages.length) : width;
    const height = this.meta.height ?? Math.max(190, Math.min(720, window.innerHeight - 470));
    if (this.laidOut === `${width} ${height}`) return;
    this.laidOut = `${width} ${height}`;
    for (const stage of this.stages) stage.resize(each, height);
    this.restyle();
  }

  restyle() {
    this.root.dataset.theme = this.themeField.value;
    const style = getComputedStyle(this.root), isDark = this.themeField.value === "dark" || (this.themeField.value === "auto" && this.dark.matches);
    this.colours = Object.fromEntries(["--bg", "--fg", "--muted", "--line", "--panel", "--idle", "--local", "--near", "--far", "--remote", "--bar", "--focus"]
      .map((name) => [name, style.getPropertyValue(name).trim()]));
    const lineColour = (run) => (isDark ? lighter(run.about.colour) : run.about.colour);
    this.stages.forEach((stage) => (stage.swatch.style.borderTop = `3px ${stage.run.about.dash.length ? "dashed" : "solid"} ${lineColour(stage.run)}`));
    this.chart.draw(this.chart.element.clientWidth, this.colours, lineColour);
    this.show(this.slot);
  }

  /** Say to those who do not see the picture what it shows. */
  tell() {
    const sentences = this.stages.map((stage) => stage.narrator.slot(this.slot));
    this.live.textContent = `Slot ${this.meta.first + this.slot}. ${sentences.join(". ")}.`;
  }

  // Stories

  hover(stage, server, event = null, isKey = false) {
    this.hovered = server < 0 ? null : { stage, server };
    this.tip.hidden = !event || server < 0;
    if (event && server >= 0) {
      this.tip.textContent = stage.narrator.short(server, this.slot);
      const box = this.root.getBoundingClientRect();
      this.tip.style.left = `${Math.min(event.clientX - box.left + 14, box.width - this.tip.offsetWidth - 4)}px`;
      this.tip.style.top = `${event.clientY - box.top + 16}px`;
    }
    if (isKey) this.live.textContent = `${stage.narrator.server(server)}: ${stage.narrator.doing(server, this.slot)}; ${stage.run.waitingAt(server)} waiting`;
    this.drawAbove();
    if (!this.pinned) this.showStory();
  }

  pin(stage, server) {
    const isSame = this.pinned && this.pinned.stage === stage && this.pinned.server === server;
    this.pinned = server < 0 || isSame ? null : { stage, server };
    if (server < 0) this.followed = null;
    this.drawAbove();
    this.showStory();
  }

  follow(stage, row) {
    const number = stage.run.number[row];
    this.followed = new Map(this.stages.map((other) => [other, other === stage ? row : stage.run.about.names ? other.run.rowOf(number) : -1]));
    this.drawAbove();
    this.showStory();
  }

  showStory() {
    const seen = this.pinned ?? this.hovered, parts = [];
    if (seen) parts.push(...this.serverStory(seen.stage, seen.server));
    if (this.followed) parts.push(...this.taskStory());
    if (!parts.length) parts.push(make("p", { class: "csr-muted" }, "Point at a server for its story; click to keep it in view. With the keyboard: Tab to the picture, then the arrow keys."));
    // Not while a button in it has the focus: it would lose it.
    const key = parts.map((part) => part.textContent).join("|");
    if (key === this.storyKey) return;
    this.storyKey = key;
    const focused = this.home.activeElement, hadFocus = this.storyBox.contains(focused) ? focused.textContent : null;
    this.storyBox.replaceChildren(...parts);
    if (hadFocus) [...this.storyBox.querySelectorAll("button")].find((each) => each.textContent === hadFocus)?.focus();
  }

  serverStory(stage, server) {
    const { run, narrator } = stage, { slot } = this;
    const title = `${this.stages.length > 1 ? `${run.about.policy}: ` : ""}${narrator.server(server)}`;
    const parts = [make("h3", {}, title), make("p", {}, `Slot ${run.first + slot}: ${narrator.doing(server, slot)}.`)];
    if (!run.about.pairs) return [...parts, make("p", { class: "csr-muted" }, `${count(run.waitingAt(server), "task")} waiting.`)];
    const tasks = (rows) => rows.flatMap((row) => [make("button", { type: "button", class: "csr-task", onclick: () => this.follow(stage, row) }, narrator.task(row)), " "]);
    const row = run.running[server];
    if (row >= 0) parts[1].append(" ", ...tasks([row]));
    for (const queue of run.queuesOf[server]) {
      const line = run.line(queue, slot), more = line.length > 8 ? `and ${line.length - 8} more` : "";
      const name = run.queuesOf[server].length > 1 ? `In ${narrator.queue(queue)}` : "In its queue";
      parts.push(make("p", {}, `${name}, ${line.length ? `${count(line.length, "task")}: ` : "nothing waits."}`, ...tasks(line.slice(0, 8)), more));
    }
    const started = run.startedOn(server, slot).filter((each) => run.start[each] >= run.first);
    const byTier = this.meta.tiers.map((_, tier) => started.filter((each) => run.tier[each] === tier).length);
    parts.push(make("p", {}, `Started so far: ${byTier.map((n, tier) => `${n} ${narrator.tierName(tier)}`).join(", ")}. The last: `, ...tasks(started.slice(-5).reverse())));
    return parts;
  }

  taskStory() {
    const parts = [], rows = [...this.followed].filter(([, row]) => row >= 0);
    for (const [stage, row] of rows) {
      const title = `${this.stages.length > 1 ? `${stage.run.about.policy}: ` : ""}${stage.narrator.task(row)}`;
      parts.push(make("h3", {}, title), make("p", {}, stage.narrator.story(row).join(" ")));
    }
    return parts;
  }
}

function mostIn(run) {
  let most = 0;
  for (let slot = 0; run.shared.length && slot < run.nSlots; slot++) {
    run.goTo(slot);
    most = Math.max(most, run.shared.reduce((sum, queue) => sum + run.waiting[queue], 0));
  }
  return most;
}

/** A colour of a curve, on a dark ground. */
function lighter(colour) {
  const parts = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  const share = parts.some((part) => part > 0) ? 0.4 : 0.75; // black would stay too dark
  return `rgb(${parts.map((part) => Math.round(part + (255 - part) * share)).join(", ")})`;
}

function icon({ shape, colour, mark }) {
  const svg = document.createElementNS(SVG, "svg");
  const add = (tag, attributes) => {
    const child = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) child.setAttribute(name, value);
    svg.append(child);
  };
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const fill = colour ? `csr-fill${colour}` : "csr-fill--bar";
  const points = { diamond: "10,2 18,10 10,18 2,10", triangle: "10,3 18,17 2,17", hexagon: "6,3 14,3 18,10 14,17 6,17 2,10" };
  if (mark === "b") add("rect", { x: 3, y: 12, width: 14, height: 3, class: "csr-fill--fg" });
  else if (mark) for (const x of [3, 14]) add("rect", { x, y: 12, width: 3, height: 3, class: "csr-fill--muted" });
  else if (shape === "idle") add("rect", { x: 4, y: 4, width: 12, height: 12, class: "csr-hollow" });
  else if (shape === "square") add("rect", { x: 3, y: 3, width: 14, height: 14, class: fill });
  else if (shape === "circle") add("circle", { cx: 10, cy: 10, r: 7, class: fill });
  else if (shape === "bar") for (const y of [3, 8, 13]) add("rect", { x: 5, y, width: 10, height: 4, class: fill });
  else if (shape === "move") {
    add("path", { d: "M2 15 Q10 2 18 12", class: "csr-arc" });
    add("circle", { cx: 11, cy: 7.6, r: 3, class: "csr-fill--fg" });
  } else add("polygon", { points: points[shape], class: fill });
  return svg;
}

function help(meta, runs) {
  const keys = [["space or k", "play, pause"], ["left, right arrow", "one slot back, on"], ["page up, page down", "ten slots back, on"], ["home, end", "first, last slot"],
    ["+ and -", "faster, slower"], ["tab, then arrows", "from server to server in the picture"], ["enter", "keep a server in view"], ["escape", "let it go"]];
  const table = make("table", {}, make("tbody", {}, ...keys.map(([key, does]) => make("tr", {}, make("th", { scope: "row" }, key), make("td", {}, does)))));
  const notes = [
    "The picture shows each slot after its dispatch. The bar above a server is what waits in its queue; the shape is what it serves.",
    runs.length > 1 ? "All panels are under the same arrivals and with the same luck in service: what differs is the policy." : "",
    meta.kinds ? "Helpers have time left for tasks of others, beneficiaries get more than they can serve (ideal load decomposition, section 3 of the paper)." : meta.kindsNote ?? "",
    runs.every((run) => run.about.pairs) ? "" : "To stay small, this file does not hold which server took which task. Replay fewer slots, or use --detail full, to see tasks on the move and their stories.",
  ].filter(Boolean);
  return [make("details", {}, make("summary", {}, "Keyboard"), table), make("details", {}, make("summary", {}, "What is shown"), ...notes.map((note) => make("p", {}, note)), make("p", {}, meta.repeat))];
}

/** Show the runs of a model in an element, and again when they change. */
export async function render({ model, el }) {
  let view = null, turn = 0;
  const load = async () => {
    const mine = ++turn, { meta, data } = model.get("runs"), runs = await readRuns(meta, data);
    if (mine !== turn) return;
    const kept = view && { slot: view.slot, isPlaying: view.isPlaying, speed: view.speed, theme: view.themeField.value };
    view?.destroy();
    view = new View(el, meta, runs);
    if (!kept) return;
    view.themeField.value = kept.theme;
    view.restyle();
    view.setSpeed(kept.speed);
    view.jump(kept.slot);
    if (kept.isPlaying) view.toggle();
  };
  model.on?.("change:runs", load);
  await load();
  return () => view?.destroy();
}

export default { render };
