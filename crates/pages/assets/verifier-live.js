// Keeps a waiting page in step with the login: reloads it when the state on the
// server is another one than the page shows. Without scripts the page refreshes itself.
(() => {
  "use strict";
  const page = document.querySelector("[data-events]");
  if (page && "EventSource" in window) {
    const source = new EventSource(page.dataset.events);
    let state = page.dataset.state;
    let leaving = false;
    // A script of the page brings the answer itself, or has brought it: then the page goes where the
    // answer leads, and a reload would cut that off.
    let busy = false;
    const catchUp = () => {
      if (!leaving && !busy && state !== page.dataset.state) {
        source.close();
        location.reload();
      }
    };
    // What somebody types is not taken away from them.
    const askAgain = () => {
      if (document.activeElement?.matches("input, select, textarea")) {
        setTimeout(askAgain, 5000);
      } else {
        state = undefined;
        catchUp();
      }
    };
    // Without a stream (the server has no room for one) the page asks for itself now and then, as
    // it does without scripts. A browser tries again by itself unless the stream was refused.
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) setTimeout(askAgain, 5000);
    });
    source.addEventListener("state", (event) => {
      state = event.data;
      catchUp();
    });
    document.addEventListener("vouchsafe:answering", () => (busy = true));
    document.addEventListener("vouchsafe:not-answered", () => {
      busy = false;
      catchUp();
    });
    document.addEventListener("submit", () => (busy = true));
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
