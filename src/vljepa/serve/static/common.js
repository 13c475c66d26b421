"use strict";
const $ = id => document.getElementById(id);

/** An element with properties and children; text is only ever set as text. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds)), hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60, rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** The distinct texts of a field that lists them between commas. */
const listed = id => [...new Set($(id).value.split(",").map(text => text.trim()).filter(Boolean))];

function tell(id, message) {
  $(id).textContent = message || "";
  $(id).hidden = !message;
}

async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer.");
  }
  if (response.status === 204) return null;
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.error?.message || `The server answered ${response.status}.`);
  return body;
}

const post = (path, body) =>
  request(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

/** Upload a file; fetch cannot tell how far it is. */
function upload(file, progress) {
  return new Promise((done, failed) => {
    const sending = new XMLHttpRequest(), form = new FormData();
    form.append("file", file);
    sending.upload.onprogress = event => event.lengthComputable && progress(event.loaded / event.total);
    sending.onerror = () => failed(new Error("The upload broke off."));
    sending.onload = () => {
      let body = {};
      try { body = JSON.parse(sending.responseText); } catch { /* said below */ }
      if (sending.status === 201) done(body);
      else failed(new Error(body.error?.message || `The server answered ${sending.status}.`));
    };
    sending.open("POST", "/v1/media");
    sending.send(form);
  });
}

const describe = media =>
  `${media.duration ? clock(media.duration) : "image"}, ${media.size < 1e6 ? Math.ceil(media.size / 1e3) + " kB" : (media.size / 1e6).toFixed(1) + " MB"}`;
/** A similarity; never minus nothing. */
const similarity = score => score.toFixed(2).replace("-0.00", "0.00");
const thumbnail = media => make("img", { src: `/v1/media/${media.id}/frame`, alt: "", loading: "lazy" });
