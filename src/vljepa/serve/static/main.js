const stream = new StreamView(), library = new LibraryView();
const VIEWS = ["start", "stream", "library"];

function show(view) {
  for (const name of VIEWS) $(`view-${name}`).hidden = name !== view;
  $("nav-watch").toggleAttribute("aria-current", view !== "library");
  $("nav-library").toggleAttribute("aria-current", view === "library");
}

function route() {
  const [, page, id] = location.hash.split("/");
  stream.close();
  library.close();
  document.title = "VL-JEPA";
  if (page === "stream" && id) {
    show("stream");
    stream.open(id, route.at ?? null);
    route.at = null;
  } else if (page === "library") {
    show("library");
    library.open();
  } else {
    show("start");
    refreshStart();
  }
}

async function begin(source) {
  tell("start-alert", "");
  try {
    const { id } = await post("/v1/streams", { source, labels: listed("start-labels"), query: $("query").value.trim() || null, realtime: $("realtime").checked });
    location.hash = `#/stream/${id}`;
  } catch (error) {
    if (!$("view-start").hidden) tell("start-alert", error.message);
    else tell("library-alert", error.message);
  }
}

/** A file that was watched to its end is shown as it was told then. */
async function watchMedia(id, at = null) {
  route.at = at;
  if (at !== null) {
    const { streams } = await request("/v1/streams").catch(() => ({ streams: [] }));
    const told = streams.find(one => one.media === id && ["finished", "running"].includes(one.state));
    if (told) { location.hash = `#/stream/${told.id}`; return; }
  }
  begin(id);
}

async function uploadAndBegin(file) {
  if (!file) return;
  tell("start-alert", "");
  $("uploading").hidden = false;
  $("uploading-name").textContent = file.name;
  $("choose").disabled = true;
  try {
    const media = await upload(file, share => { $("uploading-bar").value = share; });
    await begin(media.id);
  } catch (error) {
    tell("start-alert", error.message);
  }
  $("uploading").hidden = true;
  $("choose").disabled = false;
  $("file").value = "";
}

async function refreshStart() {
  const [{ media }, { streams }] = await Promise.all([request("/v1/media"), request("/v1/streams?top=8")])
    .catch(error => { tell("start-alert", error.message); return [{ media: [] }, { streams: [] }]; });
  $("from-library").hidden = !media.length;
  $("recent-media").replaceChildren(...media.slice(0, 5).map(one => {
    const watch = make("button", { onclick: () => begin(one.id) }, "Watch");
    watch.setAttribute("aria-label", `Watch ${one.name}`);
    return make("li", {}, thumbnail(one), make("span", { className: "what" }, make("span", {}, one.name), make("small", {}, describe(one))), watch);
  }));
  $("earlier").hidden = !streams.length;
  $("streams").replaceChildren(...streams.map(one => {
    const when = new Date(one.created * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    const link = make("a", { className: "button", href: `#/stream/${one.id}` }, "Open");
    link.setAttribute("aria-label", `Open the stream of ${one.name}`);
    return make("li", {}, make("span", { className: "what" }, make("span", {}, one.name), make("small", {}, when)),
      make("span", { className: `state ${one.state}` }, one.state), link);
  }));
}

$("choose").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => uploadAndBegin($("file").files[0]));
$("start-form").addEventListener("submit", event => {
  event.preventDefault();
  if ($("address").value.trim()) begin($("address").value.trim());
});
for (const name of ["dragover", "dragleave", "drop"]) {
  $("drop").addEventListener(name, event => {
    event.preventDefault();
    $("drop").classList.toggle("over", name === "dragover");
    if (name === "drop") uploadAndBegin(event.dataTransfer.files[0]);
  });
}
request("/v1/models").then(({ data: [model] }) => {
  $("model").textContent = model.id;
  $("address-field").hidden = !(model.allow_live || model.has_media_folder);
}).catch(() => {});
addEventListener("hashchange", route);
// A page that the browser keeps for its back button has no connections.
addEventListener("pagehide", () => stream.close());
addEventListener("pageshow", event => event.persisted && route());
route();
