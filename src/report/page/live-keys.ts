/** Runs in the page of work that goes on: asks how it is, and in the end for the report. */

const EVERY_MS = 1000;
/** Answers that do not come, in a row: it has ended without a word, or was killed. */
const MOST_LOST = 5;

const main = document.querySelector('main')!;
const said = document.querySelector('output')!;
let lost = 0;

async function look(): Promise<void> {
  try {
    const answer = await fetch('now', { cache: 'no-store' });
    if (answer.status === 404) {
      location.reload();
      return;
    }
    lost = 0;
    said.textContent = '';
    main.innerHTML = await answer.text();
  } catch {
    lost++;
    said.textContent =
      lost < MOST_LOST ? 'No answer: trying again' : 'It has ended: this was its last state';
    if (lost >= MOST_LOST) return;
  }
  setTimeout(look, EVERY_MS);
}

setTimeout(look, EVERY_MS);
