// Shows a card through the browser's own dialog (Digital Credentials API), where the browser has
// one: asks the server what for, asks the browser, and brings back the answer of the wallet.
(() => {
  "use strict";
  const button = document.querySelector("#use-card");
  if (!button || !("DigitalCredential" in window)) return;
  const { ask, csrf, protocols, first } = button.dataset;
  const allows = (protocol) =>
    typeof DigitalCredential.userAgentAllowsProtocol !== "function" || DigitalCredential.userAgentAllowsProtocol(protocol);
  if (!protocols.split(" ").some(allows)) return;

  const problem = document.querySelector("#use-card-problem");
  const qr = document.querySelector("#other-device");
  const say = (text) => {
    problem.textContent = text;
    problem.hidden = false;
    button.disabled = false;
    // Whose wallet is elsewhere needs the code after all.
    if (qr) qr.hidden = false;
  };
  const tell = (what) => document.dispatchEvent(new Event(`vouchsafe:${what}`));
  const post = (url, body) =>
    fetch(url, {
      method: "POST",
      credentials: "same-origin",
      headers: { accept: "application/json", "content-type": "application/json", "x-vouchsafe-csrf": csrf },
      body: JSON.stringify(body),
    });
  let question;
  const prepare = async () => {
    const response = await post(ask, {});
    if (!response.ok) return;
    question = await response.json();
    question.requests = question.requests.filter(({ protocol }) => allows(protocol));
    const others = document.querySelector("#show-card");
    if (others) others.classList.add("quiet");
    if (qr && first) qr.hidden = true;
    button.hidden = false;
  };

  button.addEventListener("click", async () => {
    button.disabled = true;
    problem.hidden = true;
    let answer;
    try {
      // The browser opens its dialog only in the moment of the click: nothing is awaited before.
      const { protocol, data } = await navigator.credentials.get({ mediation: "required", digital: { requests: question.requests } });
      answer = { protocol, data };
    } catch {
      // The person closed the dialog, or no wallet was there.
      say(button.dataset.declined);
      return;
    }
    tell("answering");
    try {
      const response = await post(question.answer, answer);
      if (response.ok) return location.assign((await response.json()).next);
      // The login is over or was answered elsewhere: its page says so.
      if (response.status === 404 || response.status === 409) return location.reload();
    } catch {
      // No answer came: the login may have gone on all the same, which the page then sees.
    }
    say(button.dataset.refused);
    tell("not-answered");
  });
  prepare().catch(() => {});
})();
