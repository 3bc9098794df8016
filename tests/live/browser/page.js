// Runs in the page: makes one request as told and says what the script got to know.
/* global Image, Audio, EventSource, FontFace, XMLHttpRequest, FormData, document */
window.make = (request, url) =>
  new Promise((resolve) => {
    const allowed = (more) => resolve({ verdict: "allowed", ...more });
    const blocked = () => resolve({ verdict: "blocked" });
    setTimeout(() => resolve({ verdict: "timeout" }), 8000);
    const include = request.credentials === "include";
    const crossOrigin = include ? "use-credentials" : "anonymous";
    const headers = request.headers ?? [];
    let body = request.body;
    if (request.form) body = new URLSearchParams({ a: "1" });
    if (request.multipart) {
      body = new FormData();
      body.append("a", "1");
    }
    if (request.blob !== undefined) body = new Blob(["x"], { type: request.blob });
    const element = (name, attributes) => {
      const made = document.createElement(name);
      Object.assign(made, { crossOrigin, ...attributes });
      made.onload = () => allowed();
      made.onerror = blocked;
      document.head.append(made);
    };
    switch (request.api ?? "fetch") {
      case "fetch":
        fetch(url, {
          method: request.method,
          headers,
          body,
          credentials: request.credentials ?? "same-origin",
          mode: request.mode,
          redirect: request.redirect,
        }).then(
          (response) =>
            allowed({
              status: response.status,
              readable_headers: [...response.headers.keys()].sort(),
            }),
          blocked,
        );
        break;
      case "xhr": {
        const xhr = new XMLHttpRequest();
        try {
          xhr.open(request.method ?? "GET", url);
          xhr.withCredentials = include;
          for (const [name, value] of headers) xhr.setRequestHeader(name, value);
          if (request.upload_listener) xhr.upload.onprogress = () => {};
          xhr.onload = () => {
            const lines = xhr.getAllResponseHeaders().trim().split("\r\n");
            const names = lines.filter(Boolean).map((line) => line.split(":")[0].toLowerCase());
            allowed({ status: xhr.status, readable_headers: [...new Set(names)].sort() });
          };
          xhr.onerror = blocked;
          xhr.send(body);
        } catch {
          blocked();
        }
        break;
      }
      case "image":
        element("img", { src: url });
        break;
      case "script":
        element("script", { src: url });
        break;
      case "module":
        element("script", { type: "module", src: url });
        break;
      case "module-import":
        import(url).then(() => allowed(), blocked);
        break;
      case "style":
        element("link", { rel: "stylesheet", href: url });
        break;
      case "font":
        new FontFace("f", `url(${url})`).load().then(() => allowed(), blocked);
        break;
      case "audio": {
        const audio = new Audio();
        audio.crossOrigin = crossOrigin;
        audio.oncanplay = () => allowed();
        audio.onerror = blocked;
        audio.preload = "auto";
        audio.src = url;
        audio.load();
        break;
      }
      case "eventsource": {
        const source = new EventSource(url, { withCredentials: include });
        source.onmessage = () => (source.close(), allowed());
        source.onerror = () => (source.close(), blocked());
        break;
      }
      case "plain-image": {
        const image = new Image();
        image.onload = image.onerror = () => allowed();
        image.src = url;
        break;
      }
    }
  });
// In a frame, the page around it tells what to ask.
window.addEventListener("message", async ({ data, source }) => {
  if (data?.ask === undefined) return;
  const result = await window.make(data.request, data.url);
  source.postMessage({ answer: data.ask, result }, "*");
});
