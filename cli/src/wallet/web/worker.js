// Keeps the page that says "cannot be reached" and what it looks like, and nothing else: no page
// with a card, a name or a question ever lies in the browser's cache.
"use strict";
const KEPT = "vouchsafe-offline-1";

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const answer = await fetch("/offline", { credentials: "omit" });
      const cache = await caches.open(KEPT);
      await cache.put("/offline", answer.clone());
      const style = /href="(\/assets\/vouchsafe\.css[^"]*)"/.exec(await answer.text());
      if (style) await cache.add(style[1]);
      await self.skipWaiting();
    })(),
  );
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.mode === "navigate") {
    event.respondWith(fetch(event.request).catch(async () => (await caches.match("/offline")) ?? Response.error()));
  } else if (url.origin === location.origin && url.pathname.startsWith("/assets/")) {
    event.respondWith(fetch(event.request).catch(async () => (await caches.match(event.request)) ?? Response.error()));
  }
});
