// Keeps a waiting page in step with the login: reloads it when the state on the
// server is another one than the page shows. Without scripts the page refreshes itself.
(() => {
  "use strict";
  const page = document.querySelector("[data-events]");
  if (page && "EventSource" in window) {
    const source = new EventSource(page.dataset.events);
    let state = page.dataset.state;
    let leaving = false;
    const catchUp = () => {
      if (!leaving && state !== page.dataset.state) {
        source.close();
        location.reload();
      }
    };
    source.addEventListener("state", (event) => {
      state = event.data;
      catchUp();
    });
    // A reload would cut off the way to the wallet that the person just took.
    // Where the link opened an app instead, this page is still there and goes on.
    addEventListener("beforeunload", () => {
      leaving = true;
      setTimeout(() => {
        leaving = false;
        catchUp();
      }, 3000);
    });
  }
  const form = document.querySelector("form[data-submit]");
  if (form) form.submit();
})();
