/**
 * Speaks with the API. What is asked for may be asked again; what is sent carries an Idempotency-Key, so that it is
 * stored once however often it is sent.
 */

const ANSWER_SECONDS = 30;
const LONGEST_PAUSE = 120;

/** Pauses in seconds before asking again where the API does not say how long to wait: four minutes in all. */
const PAUSES = [1, 2, 4, 8, 15, 30, 30, 30, 60, 60];

/** The API cannot be reached; what was sent may have arrived all the same. */
export class Unreachable extends Error {
  passes = true;
}

/** The API says no. `code` names the kind, `errors` has each broken rule: {pointer, code, message}. */
export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(body.detail ?? body.title ?? `HTTP ${status}`);
    this.status = status;
    this.code = (body.type ?? "").split(":").pop();
    this.errors = body.errors ?? [];
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may be taken later. */
  get passes() {
    return this.status === 429 || this.status >= 500;
  }
}

export class Api {
  #base;
  #file;

  /**
   * @param {string} base where the API is, without a slash at the end
   * @param {string} file where the site keeps what the API says at /v1/pages/{page}/static; empty: nowhere
   */
  constructor(base, file = "") {
    this.#base = base;
    this.#file = file;
  }

  /** The action page with this id or name, or that of the site's own file, for which the API is not asked. */
  page(named) {
    if (this.#file) return persistently(() => this.#read());
    const path = /^\d+$/.test(named) ? `/v1/pages/${named}` : `/v1/pages?name=${encodeURIComponent(named)}`;
    return persistently(() => this.#ask(path));
  }

  /** The numbers of the site's own file where there is one. The browser asks whether it changed. */
  async numbersForVisitors(page) {
    return this.#file ? (await this.#read()).campaign.numbers : this.numbers(page);
  }

  /** How many signed the campaign of this page. The browser keeps the answer and its ETag. */
  numbers(page) {
    return this.#ask(`/v1/pages/${page}/numbers`);
  }

  /** A challenge that has to be solved before signing on this page. */
  challenge(page) {
    return persistently(() => this.#ask(`/v1/challenge?page=${page}`, { cache: "no-store" }));
  }

  /**
   * Sends a JSON text until it is answered, under a key of its own (see `newKey`).
   * `onPause` is told of each pause before another try. Rejects with `Problem`, or `Unreachable` after the last try.
   */
  send(path, text, key, onPause = () => {}) {
    const request = {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": key },
      body: text,
      keepalive: true,
    };
    return persistently(() => this.#ask(path, request), onPause);
  }

  #read() {
    return this.#ask("", { cache: "no-cache" }, new URL(this.#file, location.href));
  }

  async #ask(path, request = {}, address = this.#base + path) {
    let answer;
    let body;
    try {
      answer = await fetch(address, {
        credentials: "omit",
        signal: AbortSignal.timeout(ANSWER_SECONDS * 1000),
        ...request,
      });
      body = await answer.json().catch((error) => {
        if (answer.ok) throw error;
        return {};
      });
    } catch {
      throw new Unreachable();
    }
    if (answer.ok) return body;
    throw new Problem(answer.status, body, Number(answer.headers.get("Retry-After")) || undefined);
  }
}

/** A new Idempotency-Key: 128 random bits. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function persistently(ask, onPause = () => {}) {
  for (let tried = 0; ; tried += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!error.passes || tried === PAUSES.length) throw error;
      onPause();
      const seconds = error.retryAfter ?? PAUSES[tried] * (0.75 + Math.random() / 2);
      await pause(Math.min(seconds, LONGEST_PAUSE), error instanceof Unreachable);
    }
  }
}

/** Waits; less where the network may be to blame and comes back. */
function pause(seconds, untilOnline) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    if (untilOnline) addEventListener("online", done);
  });
}
