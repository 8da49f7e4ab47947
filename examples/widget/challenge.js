/**
 * Proof of work: solves the challenges of GET /v1/challenge (ALTCHA, proof of work 2) in workers, so that the page stays
 * responsive. Several try at once, each every n-th counter. docs/decisions/0010-widget.md says why these workers.
 */

const MAX_WORKERS = 4;
const MAX_SECONDS = 120;
const WORKERS = {
  SCRYPT: new URL("./vendor/altcha-3.2.2/scrypt.js", import.meta.url),
  ARGON2ID: new URL("./vendor/altcha-3.2.2/argon2id.js", import.meta.url),
};

/** One solution at a time, begun before it is needed. */
export class ProofOfWork {
  #ask;
  #solution = null;

  /** @param {() => Promise<object>} ask gets a challenge */
  constructor(ask) {
    this.#ask = ask;
  }

  /** The solution, as it is sent with a signature; work begins with the first call. */
  solution() {
    this.#solution ??= this.#ask()
      .then(solve)
      .catch((error) => {
        this.#solution = null;
        throw error;
      });
    return this.#solution;
  }

  /** The solution was used or refused: the next is another one. */
  forget() {
    this.#solution = null;
  }
}

async function solve(challenge) {
  const script = WORKERS[challenge.parameters.algorithm];
  if (!script) throw new Error(`no worker for ${challenge.parameters.algorithm}`);
  const count = Math.min(MAX_WORKERS, navigator.hardwareConcurrency || 1);
  const workers = Array.from({ length: count }, () => new Worker(script));
  try {
    const solution = await Promise.any(workers.map((worker, first) => search(worker, challenge, first, count)));
    return btoa(JSON.stringify({ challenge, solution }));
  } finally {
    for (const worker of workers) worker.terminate();
  }
}

function search(worker, challenge, counterStart, counterStep) {
  return new Promise((resolve, reject) => {
    worker.onerror = () => reject(new Error("a worker failed"));
    worker.onmessage = ({ data }) => (data && !data.error ? resolve(data) : reject(data?.error ?? new Error("no solution")));
    worker.postMessage({ type: "work", challenge, counterStart, counterStep, timeout: MAX_SECONDS * 1000 });
  });
}
