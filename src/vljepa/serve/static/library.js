/** Uploads and the search in them. */
class LibraryView {
  constructor() {
    $("add").addEventListener("click", () => $("add-files").click());
    $("add-files").addEventListener("change", () => this.upload([...$("add-files").files]));
    $("search").addEventListener("submit", event => { event.preventDefault(); this.search(); });
  }

  async open() {
    this.shown = true;
    await this.refresh();
  }

  close() {
    this.shown = false;
    clearTimeout(this.waiting);
  }

  async refresh() {
    clearTimeout(this.waiting);
    try {
      const { media, indexing } = await request("/v1/media");
      $("no-media").hidden = media.length > 0;
      $("indexing").textContent = indexing && media.length ? "being indexed …" : "";
      $("media").replaceChildren(...media.map(one => this.row(one)));
      if (this.shown && indexing && media.length) this.waiting = setTimeout(() => this.refresh(), 3000);
    } catch (error) {
      tell("library-alert", error.message);
    }
  }

  row(media) {
    const watch = make("button", { onclick: () => watchMedia(media.id) }, "Watch");
    const remove = make("button", { className: "plain", onclick: () => this.remove(media) }, "Delete");
    watch.setAttribute("aria-label", `Watch ${media.name}`);
    remove.setAttribute("aria-label", `Delete ${media.name}`);
    const what = make("span", { className: "what" }, make("span", {}, media.name), make("small", {}, describe(media)));
    return make("li", {}, thumbnail(media), what, watch, remove);
  }

  async remove(media) {
    if (!confirm(`Delete ${media.name}?`)) return;
    await request(`/v1/media/${media.id}`, { method: "DELETE" }).catch(error => tell("library-alert", error.message));
    this.refresh();
  }

  async upload(files) {
    tell("library-alert", "");
    for (const [index, file] of files.entries()) {
      const count = files.length > 1 ? `${index + 1} of ${files.length}, ` : "";
      try {
        await upload(file, share => { $("indexing").textContent = `uploading ${count}${Math.round(share * 100)} %`; });
      } catch (error) {
        tell("library-alert", error.message);
      }
    }
    $("add-files").value = "";
    this.refresh();
  }

  async search() {
    const text = $("q").value.trim();
    if (!text) return;
    $("search-note").textContent = "searching …";
    try {
      const { hits, indexing } = await request(`/v1/search?q=${encodeURIComponent(text)}`);
      const behind = indexing ? " Some files are still being indexed." : "";
      $("search-note").textContent = hits.length ? behind.trim() : `Nothing to find yet.${behind}`;
      $("hits").replaceChildren(...hits.map(hit => this.hit(hit)));
    } catch (error) {
      $("search-note").textContent = error.message;
    }
  }

  hit({ media, start, end, score }) {
    const still = !media.duration;
    const image = make("img", { alt: "", loading: "lazy", src: `/v1/media/${media.id}/frame` + (still ? "" : `?start=${start}&end=${end}`) });
    const when = still ? "image" : `${clock(start)} to ${clock(end)}`;
    return make("li", {}, make("button", { onclick: () => watchMedia(media.id, start) }, image,
      make("span", {}, media.name, make("small", { className: "n" }, `${when}, similarity ${similarity(score)}`))));
  }
}
