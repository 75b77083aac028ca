// Makes or uses a passkey: asks the server what for, asks the device, and brings back its answer.
(() => {
  "use strict";
  const button = document.querySelector("#passkey");
  if (!button) return;
  const problem = document.querySelector("#problem");
  const { csrf, ceremony, challenge, answer } = button.dataset;

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

  button.addEventListener("click", async () => {
    button.disabled = true;
    problem.hidden = true;
    try {
      const asked = options((await post(challenge, {})).publicKey);
      const made = ceremony === "create" ? await navigator.credentials.create(asked) : await navigator.credentials.get(asked);
      location.assign((await post(answer, wire(made))).next);
    } catch {
      problem.hidden = false;
      button.disabled = false;
    }
  });
})();
