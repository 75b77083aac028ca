// Reads a code with the camera where the browser can. What was read goes into the form of the page,
// as if the person had pasted it: it opens a page that asks, and does nothing by itself.
(() => {
  "use strict";
  const box = document.querySelector("[data-scan]");
  const form = document.getElementById("by-link");
  if (!box || !form || !("BarcodeDetector" in window) || !navigator.mediaDevices) return;
  const button = box.querySelector("button");
  const video = box.querySelector("video");
  const refused = box.querySelector(".problem");
  let stream = null;
  const stop = () => {
    for (const track of stream ? stream.getTracks() : []) track.stop();
    stream = null;
    video.hidden = true;
    button.disabled = false;
  };
  const look = async (detector) => {
    if (!stream) return;
    const codes = await detector.detect(video).catch(() => []);
    if (codes.length > 0) {
      stop();
      form.elements.link.value = codes[0].rawValue;
      form.requestSubmit();
    } else {
      setTimeout(() => look(detector), 200);
    }
  };
  const start = async () => {
    button.disabled = true;
    refused.hidden = true;
    try {
      const detector = new BarcodeDetector({ formats: ["qr_code"] });
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      video.srcObject = stream;
      video.hidden = false;
      await video.play();
      look(detector);
    } catch {
      stop();
      refused.hidden = false;
    }
  };
  const offer = async () => {
    const formats = await BarcodeDetector.getSupportedFormats().catch(() => []);
    if (formats.includes("qr_code")) box.hidden = false;
  };
  button.addEventListener("click", start);
  addEventListener("pagehide", stop);
  offer();
})();
