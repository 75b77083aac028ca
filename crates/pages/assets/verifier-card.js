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
  const say = (text) => {
    problem.textContent = text;
    problem.hidden = false;
    button.disabled = false;
  };
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
    const qr = document.querySelector("#other-device");
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
    try {
      const response = await post(question.answer, answer);
      if (response.ok) location.assign((await response.json()).next);
      // The login is over or was answered elsewhere: its page says so.
      else if (response.status === 404 || response.status === 409) location.reload();
      else say(button.dataset.refused);
    } catch {
      say(button.dataset.refused);
    }
  });
  prepare().catch(() => {});
})();
