// Makes the pages an app on a phone. The worker keeps one page: the one that says that the wallet
// cannot be reached.
(() => {
  "use strict";
  if ("serviceWorker" in navigator) navigator.serviceWorker.register("/worker.js").catch(() => {});
})();
