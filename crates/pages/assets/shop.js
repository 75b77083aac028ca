// Tells the person at once when the sign-in service ends the visit.
const visitor = document.getElementById("visitor");
const ended = document.getElementById("ended");
if (visitor && ended) {
  const events = new EventSource("/events");
  events.addEventListener("ended", () => {
    events.close();
    visitor.hidden = true;
    ended.hidden = false;
  });
}
