/** The drift curve: variance over time, its threshold, the events above it and the points where text was decoded. */
class Chart {
  constructor(canvas, seek) {
    this.canvas = canvas;
    this.clear(null);
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    canvas.addEventListener("click", event => {
      const box = canvas.getBoundingClientRect(), [from, to] = this.span();
      seek(from + (to - from) * (event.clientX - box.left) / box.width);
    });
  }

  /** duration: seconds of a file; null for a live stream, of which the last two minutes are shown. */
  clear(duration) {
    Object.assign(this, { duration, points: [], first: 0, events: [], playhead: null, growing: false });
    this.draw();
  }

  /** Instants, the first of which has this number in the stream; some may have been left out before it. */
  add(first, instants) {
    if (!this.points.length) this.first = first;
    const known = first - this.first;
    if (known < this.points.length) this.points.length = Math.max(0, known);
    this.points.push(...instants);
    this.first = first + instants.length - this.points.length;
    if (this.points.length > 20000) this.first += this.points.splice(0, this.points.length - 16000).length;
    this.plan();
  }

  plan() {
    this.planned ??= requestAnimationFrame(() => { this.planned = null; this.draw(); });
  }

  span() {
    if (this.duration) return [0, this.duration];
    const now = Math.max(120, this.points.at(-1)?.[0] ?? 0, this.events.at(-1)?.end ?? 0);
    return [now - 120, now];
  }

  draw() {
    const { canvas, points } = this, scale = devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width) return;
    canvas.width = width * scale;
    canvas.height = height * scale;
    const pen = canvas.getContext("2d"), style = getComputedStyle(canvas);
    const colour = name => style.getPropertyValue(name);
    pen.scale(scale, scale);
    const [from, to] = this.span(), strip = 14, top = strip + 10, bottom = height - 18;
    const seen = points.filter(point => point[0] >= from);
    let highest = 0.05;
    for (const [, variance, threshold] of seen) highest = Math.max(highest, variance * 1.1, threshold * 1.35);
    const x = time => (time - from) / (to - from) * width, y = value => bottom - value / highest * (bottom - top);

    this.events.forEach((event, index) => {
      const left = Math.max(0, x(event.start));
      pen.fillStyle = colour(index % 2 ? "--block-2" : "--block");
      pen.fillRect(left, 0, Math.max(1, x(event.end) - left - 1), strip);
    });
    const open = Math.max(0, x(this.events.at(-1)?.end ?? points[0]?.[0] ?? 0)), now = x(points.at(-1)?.[0] ?? 0);
    pen.strokeStyle = colour("--block");
    if (this.growing && now > open + 1) pen.strokeRect(open + .5, .5, now - open - 1, strip - 1);
    pen.strokeStyle = colour("--line");
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(0, bottom + .5);
    pen.lineTo(width, bottom + .5);
    pen.stroke();
    pen.fillStyle = colour("--soft");
    pen.font = `11px ${style.fontFamily}`;
    const step = [5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200].find(s => (to - from) / s * 70 <= width) ?? 14400;
    for (let tick = Math.ceil(from / step) * step; tick < to; tick += step) {
      if (x(tick) + 34 < width) pen.fillText(clock(tick), x(tick) + 3, height - 4);
      pen.fillRect(x(tick), bottom, 1, 5);
    }
    if (!seen.length) return;
    const line = (value, name, widthOfLine, dash) => {
      pen.strokeStyle = colour(name);
      pen.lineWidth = widthOfLine;
      pen.setLineDash(dash);
      pen.beginPath();
      // Instants that a slow connection left out are a gap, not a slope.
      seen.forEach((p, i) => (i && (this.duration || p[0] - seen[i - 1][0] < 5) ? pen.lineTo : pen.moveTo).call(pen, x(p[0]), y(p[value])));
      pen.stroke();
      pen.setLineDash([]);
    };
    line(2, "--mark", 1.25, [4, 4]);
    pen.lineJoin = "round";
    line(1, "--curve", 1.75, []);
    pen.fillStyle = colour("--mark");
    let at = 0;
    for (const event of this.events) {
      while (at < seen.length - 1 && seen[at][0] < event.decoded) at++;
      if (event.decoded < from || Math.abs(seen[at][0] - event.decoded) > 1) continue;
      pen.beginPath();
      pen.arc(Math.min(width - 4, x(event.decoded)), y(seen[at][1]), 3.5, 0, 7);
      pen.fill();
    }
    if (this.playhead !== null) {
      pen.fillStyle = colour("--ink");
      pen.fillRect(Math.min(width - 1.5, x(this.playhead)), 0, 1.5, bottom);
    }
  }
}
