// Makes or uses a passkey: asks the server what for, asks the device, and brings back its answer.
//
// The button #passkey says how: `data-ceremony` (create or get), `data-challenge` (where to ask), `data-answer`
// (where the answer goes as JSON) or `data-form` (the form that takes it, field `answer`), `data-name` (the
// field with the name of a new one), `data-autofill` (offered in the fields of the page, where the browser can).
(() => {
  "use strict";
  const button = document.querySelector("#passkey");
  if (!button) return;
  const problem = document.querySelector("#problem");
  const { csrf, ceremony, challenge, answer, form, name, autofill } = button.dataset;
  let waiting;
  let asking;

  const bytes = (text) => {
    const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(plain, (character) => character.charCodeAt(0));
  };
  const text = (buffer) => {
    const plain = String.fromCharCode(...new Uint8Array(buffer));
    return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  };
  const post = async (url, body) => {
    const response = await fetch(url, {
      method: "POST",
      credentials: "same-origin",
      headers: { accept: "application/json", "content-type": "application/json", "x-vouchsafe-csrf": csrf },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error("refused");
    return response.json();
  };
  const options = (wire) => {
    const own = { ...wire, challenge: bytes(wire.challenge) };
    if (wire.user) own.user = { ...wire.user, id: bytes(wire.user.id) };
    for (const list of ["excludeCredentials", "allowCredentials"]) {
      if (wire[list]) own[list] = wire[list].map((one) => ({ ...one, id: bytes(one.id) }));
    }
    return { publicKey: own };
  };
  const wire = ({ id, rawId, type, response }) => {
    const own = { clientDataJSON: text(response.clientDataJSON) };
    if (response.attestationObject) {
      own.attestationObject = text(response.attestationObject);
    } else {
      own.authenticatorData = text(response.authenticatorData);
      own.signature = text(response.signature);
      own.userHandle = response.userHandle ? text(response.userHandle) : null;
    }
    return { id, rawId: text(rawId), type, response: own };
  };
  const bring = async (made) => {
    if (form) {
      const own = document.querySelector(form);
      own.elements.answer.value = JSON.stringify(wire(made));
      own.submit();
      return;
    }
    const body = name ? { name: document.querySelector(name).value, passkey: wire(made) } : wire(made);
    location.assign((await post(answer, body)).next);
  };

  button.addEventListener("click", async () => {
    button.disabled = true;
    problem.hidden = true;
    // Only one request may wait at a time, and the newest challenge alone is good.
    waiting?.abort();
    try {
      await asking?.catch(() => {});
      const asked = options((await post(challenge, {})).publicKey);
      await bring(ceremony === "create" ? await navigator.credentials.create(asked) : await navigator.credentials.get(asked));
    } catch {
      problem.hidden = false;
      button.disabled = false;
    }
  });

  const offer = async () => {
    if (!autofill || !(await window.PublicKeyCredential?.isConditionalMediationAvailable?.())) return;
    waiting = new AbortController();
    const { signal } = waiting;
    asking = post(challenge, {});
    const asked = options((await asking).publicKey);
    if (signal.aborted) return;
    // A challenge is good for five minutes: a fresh one comes before.
    const renew = setTimeout(() => {
      waiting.abort();
      offer().catch(() => {});
    }, 240000);
    signal.addEventListener("abort", () => clearTimeout(renew));
    const made = await navigator.credentials.get({ ...asked, mediation: "conditional", signal });
    clearTimeout(renew);
    await bring(made);
  };
  // Nobody asked for it: what goes wrong is said at the button alone.
  offer().catch(() => {});
})();
