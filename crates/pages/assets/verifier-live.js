// Keeps a waiting page in step with the login: reloads it when the state on the
// server is another one than the page shows. Without scripts the page refreshes itself.
(() => {
  "use strict";
  const page = document.querySelector("[data-events]");
  if (page && "EventSource" in window) {
    const source = new EventSource(page.dataset.events);
    source.addEventListener("state", (event) => {
      if (event.data !== page.dataset.state) {
        source.close();
        location.reload();
      }
    });
  }
  const form = document.querySelector("form[data-submit]");
  if (form) form.submit();
})();
