/** One stream on show: its socket, its picture, and what was said of it. */
class StreamView {
  constructor() {
    this.chart = new Chart($("drift"), time => this.seek(time));
    $("video").addEventListener("timeupdate", () => this.playing());
    $("video").addEventListener("error", () => this.showSeen());
    $("ask").addEventListener("submit", event => { event.preventDefault(); this.ask(); });
    $("add-label").addEventListener("submit", event => { event.preventDefault(); this.addLabel(); });
    $("stop").addEventListener("click", () => this.send({ type: "stop" }));
    $("threshold").addEventListener("input", () => { $("threshold-value").value = (+$("threshold").value).toFixed(2); });
    $("threshold").addEventListener("change", () => this.send({ type: "threshold", threshold: +$("threshold").value }));
  }

  open(id, at = null) {
    this.close();
    Object.assign(this, { id, at, info: null, seen: 0, retries: 0, labels: [], frames: false, rows: [], follow: true });
    for (const list of ["events", "answers", "labels"]) $(list).replaceChildren();
    for (const figure of ["decodings", "saved", "fps", "dropped"]) $(figure).textContent = "–";
    for (const format of ["srt", "vtt", "jsonl"]) $(format).href = `/v1/streams/${id}/subtitles.${format}`;
    $("decodings-of").textContent = "decodings";
    $("name").textContent = $("event-count").textContent = $("now").textContent = "";
    $("no-events").hidden = false;
    $("unlike").hidden = true;
    $("seen").hidden = $("no-picture").hidden = true;
    $("video").hidden = false;
    $("video").removeAttribute("src");
    tell("stream-alert", "");
    this.chart.clear(null);
    this.connect();
  }

  close() {
    clearTimeout(this.waiting);
    const socket = this.socket;
    this.socket = this.id = null;
    socket?.close();
    $("video").pause();
  }

  connect() {
    const address = new URL(`/v1/streams/${this.id}/live?after=${this.seen}&frames=${this.frames}`, location);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = this.socket = new WebSocket(address);
    socket.binaryType = "blob";
    socket.onmessage = message => {
      if (socket !== this.socket) return;
      this.retries = 0;
      if (typeof message.data === "string") this.take(JSON.parse(message.data));
      else this.picture(message.data);
    };
    socket.onclose = event => {
      if (socket !== this.socket || event.code === 1008) return;
      this.mark("running", "reconnecting …");
      this.waiting = setTimeout(() => this.connect(), Math.min(8000, 500 * 2 ** this.retries++));
    };
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
    else tell("stream-alert", "The connection is lost; it is being made again.");
  }

  take(message) {
    if ("n" in message && message.type !== "drift") {
      if (message.n < this.seen) return;
      this.seen = message.n + 1;
    }
    this[`on_${message.type}`]?.(message);
  }

  on_stream(info) {
    const first = !this.info;
    this.info = info;
    const running = info.state === "running";
    $("name").textContent = document.title = info.name;
    this.mark(info.state, { running: info.is_live ? "live" : "watching", interrupted: "interrupted by a restart" }[info.state] ?? info.state);
    tell("stream-alert", info.error);
    $("stop").hidden = !running;
    $("slide").hidden = !running;
    $("add-label").hidden = !running;
    $("ask").hidden = info.is_live && !running;
    $("ask-when").textContent = info.is_live ? (running ? "about what is seen now" : "the stream has ended") : "about the moment shown";
    if (info.counters) this.on_counters(info.counters);
    if (info.threshold) this.on_threshold(info);
    this.showLabels(info.labels);
    this.chart.growing = running;
    this.chart.plan();
    if (!running && !this.rows.length) $("no-events").textContent = "Nothing was told of this stream.";
    if (!first) return;
    this.chart.clear(info.duration);
    this.chart.growing = running;
    if (info.is_live) this.showSeen();
    else {
      const video = $("video");
      video.src = `/v1/streams/${info.id}/file`;
      video.addEventListener("loadedmetadata", () => {
        if (this.at !== null) video.currentTime = this.at;
        else if (running && info.realtime) video.currentTime = info.counters?.time ?? 0;
        if (running && info.realtime || this.at !== null) video.play().catch(() => {});
      }, { once: true });
    }
  }

  on_event(event) {
    this.chart.events.push(event);
    this.chart.plan();
    const label = event.label && event.label !== event.text ? make("small", {}, event.label) : "";
    const button = make("button", { onclick: () => this.seek(event.start) },
      make("time", {}, clock(event.start)), make("span", {}, event.text), label);
    const row = make("li", {}, button);
    const list = $("events"), atEnd = list.scrollTop + list.clientHeight > list.scrollHeight - 40;
    list.append(row);
    this.rows.push({ row, event });
    if (atEnd) list.scrollTop = list.scrollHeight;
    $("no-events").hidden = true;
    $("event-count").textContent = this.rows.length;
  }

  on_answer(answer) {
    const pending = [...$("answers").children].find(row => row.dataset.pending === answer.question);
    const others = answer.answers.slice(1, 4).map(one => `${one.text} ${similarity(one.score)}`).join(", ");
    const row = make("li", {}, make("div", { className: "q" }, `${clock(answer.time)}  ${answer.question}`),
      make("div", {}, answer.answers[0].text, " ", make("span", { className: "soft small n" }, similarity(answer.answers[0].score))),
      others ? make("div", { className: "soft small" }, others) : "");
    if (pending) pending.replaceWith(row);
    else $("answers").prepend(row);
  }

  on_error(error) {
    document.querySelectorAll("#answers [data-pending]").forEach(row => error.about === "ask" && row.remove());
    tell("stream-alert", error.message);
  }

  on_familiarity({ familiar }) { $("unlike").hidden = familiar; }

  on_labels({ labels }) { this.showLabels(labels); }

  on_threshold({ threshold }) {
    if (document.activeElement !== $("threshold")) $("threshold").value = threshold;
    $("threshold-value").value = (+threshold).toFixed(2);
  }

  on_drift({ first, instants }) {
    this.chart.add(first, instants);
    const last = instants.at(-1);
    if (!last) return;
    $("now").textContent = `${clock(last[0])}  ${last[1].toFixed(3)}`;
    $("drift").setAttribute("aria-label",
      `Drift of meaning: variance ${last[1].toFixed(3)} at ${clock(last[0])}, threshold ${last[2].toFixed(2)}`);
  }

  on_counters({ decodings, uniform, fps, dropped }) {
    $("decodings").textContent = decodings;
    $("decodings-of").textContent = `decodings, not ${uniform}`;
    $("saved").textContent = uniform > decodings ? `${Math.round(100 * (1 - decodings / uniform))} %` : "0 %";
    $("fps").textContent = fps.toFixed(1);
    $("dropped").textContent = dropped;
  }

  on_scores({ scores }) {
    const best = Math.max(...scores.map(one => one.score));
    for (const { text, score } of scores) {
      const row = [...$("labels").children].find(one => one.dataset.label === text);
      if (!row) continue;
      row.classList.toggle("best", score === best);
      row.querySelector(".n").textContent = similarity(score);
      row.querySelector("i").style.width = `${Math.max(0, score) * 100}%`;
    }
  }

  showLabels(labels) {
    if (labels.length === this.labels.length && labels.every((label, i) => label === this.labels[i])) return;
    this.labels = labels;
    $("labels").replaceChildren(...labels.map(label => {
      const remove = make("button", { className: "plain", type: "button", onclick: () => this.setLabels(this.labels.filter(l => l !== label)) }, "×");
      remove.setAttribute("aria-label", `Remove the label ${label}`);
      const row = make("li", {}, make("span", {}, label), make("span", { className: "n" }, "–"), remove, make("span", { className: "meter" }, make("i")));
      row.dataset.label = label;
      return row;
    }));
  }

  setLabels(labels) { this.send({ type: "labels", labels }); }

  addLabel() {
    const label = $("label").value.trim();
    if (label && !this.labels.includes(label)) this.setLabels([...this.labels, label]);
    $("label").value = "";
  }

  ask() {
    const question = $("question").value.trim();
    if (!question) return;
    const row = make("li", {}, make("div", { className: "q" }, question), make("div", { className: "soft" }, "…"));
    row.dataset.pending = question;
    $("answers").prepend(row);
    const time = this.info.is_live || this.frames ? null : $("video").currentTime;
    this.send({ type: "ask", question, time, choices: listed("choices") });
    $("question").value = "";
    tell("stream-alert", "");
  }

  seek(time) {
    const video = $("video");
    if (this.info?.is_live || !video.src) return;
    video.currentTime = Math.min(time, video.duration || time);
  }

  playing() {
    if (!this.info || this.info.is_live) return;
    const time = $("video").currentTime;
    this.chart.playhead = time;
    this.chart.plan();
    for (const { row, event } of this.rows) row.classList.toggle("on", event.start <= time && time < event.end);
  }

  /** What the model sees, where there is no file or the browser cannot play it. */
  showSeen() {
    if (!this.info || this.frames) return;
    this.frames = true;
    const running = this.info.state === "running";
    $("video").hidden = true;
    $("seen").hidden = !running;
    $("no-picture").hidden = running;
    $("no-picture").textContent = this.info.is_live ? "No picture is kept of a live stream" : "This browser cannot play the file";
    if (!running) return;
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    this.connect();
  }

  picture(blob) {
    const old = $("seen").src;
    $("seen").src = URL.createObjectURL(blob);
    if (old.startsWith("blob:")) URL.revokeObjectURL(old);
  }

  mark(state, text) {
    $("state").className = `state ${state}`;
    $("state").textContent = text;
  }
}
