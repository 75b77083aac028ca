// <wallet-login>: a button that logs people in at a Vouchsafe login service.
//
//   <script type="module" src="https://login.example/components/wallet-login/1.js"></script>
//   <wallet-login issuer="https://login.example" client-id="shop" scope="openid age"
//                 redirect-uri="https://shop.example/callback" label="Log in with your card"></wallet-login>
//
// It stands on the page with the button and on the page of `redirect-uri`; both may be one page.
// Events: `state` ({ state }), `success` ({ code, codeVerifier, nonce, redirectUri, issuer, clientId }) and
// `error` ({ error, description }). Your server redeems the code with the verifier, and compares the nonce
// with the one in the ID token. No cookie, no request of its own, no inline style, no eval.

const PREFIX = "wallet-login:";
const LONGEST_MS = 10 * 60 * 1000;
const PARAMETERS = ["code", "state", "iss", "error", "error_description", "error_uri"];
const STYLE = `
  :host { display: inline-block; }
  :host([hidden]) { display: none; }
  button {
    font: inherit; min-height: 44px; padding: 8px 24px; cursor: pointer;
    color: #fff; background: #1c3d5a; border: 1px solid transparent; border-radius: 6px;
  }
  button:hover { background: #16304a; }
  button:focus-visible { outline: 3px solid #f2a900; outline-offset: 2px; }
  button[aria-disabled="true"] { cursor: progress; }
`;

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

const challenge = async (verifier) =>
  base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));

const parse = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

/**
 * What waits for an answer, for every tab of the browser: a wallet may open one of its own. In one
 * place alone, so that what one tab took is there for no other.
 */
const store = {
  put: (state, kept) => localStorage.setItem(PREFIX + state, JSON.stringify(kept)),
  get: (state) => parse(localStorage.getItem(PREFIX + state)),
  remove: (state) => localStorage.removeItem(PREFIX + state),
  /** Logins that nobody finished. The one that comes back right now is told that it took too long. */
  forget(returning) {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(PREFIX) && key !== PREFIX + returning && over(parse(localStorage.getItem(key)))) localStorage.removeItem(key);
    }
  },
};

const over = (kept) => !(Date.now() - kept?.at <= LONGEST_MS);

/** OpenID Connect Discovery 1.0, section 3: https without query and fragment; this machine as it likes. */
const endpoint = (issuer) => {
  const { protocol, hostname } = new URL(issuer);
  const own = protocol === "http:" && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
  if (!(own || protocol === "https:") || /[?#]/.test(issuer)) {
    throw new Error("the attribute issuer is no https address without query and fragment");
  }
  return new URL(`${issuer}/authorize`);
};

// Where there is no DOM, this can be imported and does nothing.
const Base = globalThis.HTMLElement ?? class {};

export class WalletLogin extends Base {
  static observedAttributes = ["label"];

  #button;
  #busy = false;
  #back = (event) => event.persisted && this.#rest();

  connectedCallback() {
    if (!this.#button) this.#build();
    addEventListener("pageshow", this.#back);
    try {
      store.forget(new URL(location.href).searchParams.get("state"));
    } catch {
      // No store: who starts a login or comes back hears of it.
    }
    // Listeners of the page's own scripts are in place by then.
    const resume = () => this.#resume();
    if (document.readyState === "complete") setTimeout(resume);
    else addEventListener("load", () => setTimeout(resume), { once: true });
  }

  disconnectedCallback() {
    removeEventListener("pageshow", this.#back);
  }

  attributeChangedCallback() {
    if (this.#button) this.#button.textContent = this.#label();
  }

  /** Starts a login, as a click does. */
  async login() {
    if (this.#busy) return;
    this.#busy = true;
    this.#button?.setAttribute("aria-disabled", "true");
    try {
      const address = await this.#address();
      this.#tell("state", { state: "leaving" });
      location.assign(address);
    } catch (problem) {
      this.#rest();
      this.#fail("cannot_start", problem instanceof Error ? problem.message : String(problem));
    }
  }

  #label() {
    return this.getAttribute("label") || "Log in with your card";
  }

  #build() {
    const root = this.attachShadow({ mode: "open", delegatesFocus: true });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    this.#button = document.createElement("button");
    this.#button.type = "button";
    this.#button.setAttribute("part", "button");
    this.#button.textContent = this.#label();
    this.#button.addEventListener("click", () => this.login());
    root.append(this.#button);
  }

  #rest() {
    this.#busy = false;
    this.#button?.removeAttribute("aria-disabled");
    this.#tell("state", { state: "ready" });
  }

  #need(name) {
    const value = this.getAttribute(name);
    if (!value) throw new Error(`the attribute ${name} is missing`);
    return value;
  }

  /** The authorization request (OpenID Connect Core 1.0, section 3.1.2.1; RFC 7636). */
  async #address() {
    const issuer = this.#need("issuer");
    const clientId = this.#need("client-id");
    const redirectUri = this.#need("redirect-uri");
    if (!globalThis.crypto?.subtle) throw new Error("the page is not in a secure context (https)");
    const address = endpoint(issuer);
    const [state, nonce, verifier] = [random(), random(), random()];
    const kept = { issuer, clientId, redirectUri, nonce, verifier, at: Date.now() };
    store.put(state, kept);
    const parameters = {
      response_type: "code", client_id: clientId, redirect_uri: redirectUri,
      scope: this.getAttribute("scope") || "openid", state, nonce,
      code_challenge: await challenge(verifier), code_challenge_method: "S256",
    };
    for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
    return address.href;
  }

  /** Looks whether this page is the way back of a login. */
  #resume() {
    const here = new URL(location.href);
    const answer = here.searchParams;
    const state = answer.get("state");
    if (!state || !(answer.has("code") || answer.has("error"))) return;
    const issuer = this.getAttribute("issuer");
    let kept;
    try {
      kept = store.get(state);
      // Of another element of this page.
      if (kept && (kept.clientId !== this.getAttribute("client-id") || kept.issuer !== issuer)) return;
      // A login is answered once.
      store.remove(state);
    } catch {
      if (answer.get("iss") === issuer) this.#over(here, "no_store", "the browser keeps nothing for this page");
      return;
    }
    if (!kept) {
      // Not begun in this browser: of somebody else's login, or a page that was loaded again. Parameters
      // that do not even name our issuer are none of ours.
      if (answer.get("iss") === issuer) this.#over(here, "unknown_state", "no login was begun here");
      return;
    }
    // RFC 9207, section 2.4: an answer of another issuer, or of none, is refused.
    if (answer.get("iss") !== issuer) {
      this.#over(here, "issuer_mismatch", "the answer is of another provider");
    } else if (over(kept)) {
      this.#over(here, "expired", "the login took too long");
    } else if (answer.has("error")) {
      this.#over(here, answer.get("error"), answer.get("error_description") ?? "");
    } else {
      const { clientId, redirectUri, nonce, verifier: codeVerifier } = kept;
      const code = answer.get("code");
      this.#clean(here);
      this.#tell("state", { state: "returned" });
      this.#tell("success", { code, codeVerifier, nonce, redirectUri, issuer, clientId });
    }
  }

  #over(here, error, description) {
    this.#clean(here);
    this.#tell("state", { state: "failed" });
    this.#fail(error, description);
  }

  /** The code leaves the address bar and the history. */
  #clean(here) {
    for (const name of PARAMETERS) here.searchParams.delete(name);
    history.replaceState(history.state, "", here.href);
  }

  #fail(error, description) {
    this.#tell("error", { error, description });
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

if (globalThis.customElements && !customElements.get("wallet-login")) {
  customElements.define("wallet-login", WalletLogin);
}
