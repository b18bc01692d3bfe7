/** A worker that explores, shrinks and tells: the engine, asked by the page through comlink. */

import { replayToken, tokenOf } from '../../explore/replay.ts';
import '../no-eval.ts';
import { expose } from 'comlink';
import { parseLitmus } from '../../explore/litmus/litmus.ts';
import { type Setting, settingsOf } from '../../explore/setting.ts';
import { type Shrunk, shrink } from '../../explore/shrink/shrink.ts';
import { playerOf } from '../../explore/story/player.ts';
import { Subject } from '../../explore/subject.ts';
import { decodeToken } from '../../explore/token.ts';
import type { PlayerData } from '../../report/player/data.ts';
import { type Counted, type Explored, explored, type Search } from './exploring.ts';
import { loadSources, sourceOf } from './platform.ts';
import { TEST } from './test-name.ts';

export class Explorer {
  #stopped = false;

  /** Those that the test is for, as far as they are not given. */
  settings(text: string, given: Partial<Setting>): readonly Setting[] {
    return settingsOf(parseLitmus(text, TEST), given);
  }

  /** Told at most ten times a second. */
  explore(text: string, search: Search, told: (counted: Counted) => void): Promise<Explored> {
    this.#stopped = false;
    let last = 0;
    return explored(TEST, parseLitmus(text, TEST), search, (counted) => {
      if (performance.now() - last >= 100) {
        last = performance.now();
        told(counted);
      }
      return !this.#stopped;
    });
  }

  /** End the running work, with the results so far. */
  stop(): void {
    this.#stopped = true;
  }

  /** The failure made as small as it gets, to be stepped through beside a schedule that passes. */
  async player(text: string, token: string, tries: (tries: number) => void): Promise<PlayerData> {
    this.#stopped = false;
    await loadSources();
    const { subject, result, passing } = await this.#shrunk(text, token, tries);
    const tokens = [result, passing].map((one) => one && tokenOf(subject, one));
    return playerOf(subject, result, { passing, tokens, sourceOf });
  }

  #shrunk(text: string, token: string, tries: (tries: number) => void): Promise<Shrunk> {
    const { kept, turns: _, ...said } = decodeToken(token);
    const { paging, discipline, defects, memory, abridged, betweenSteps } = said;
    const setting = { paging, discipline, defects, memory, abridged, betweenSteps };
    const subject = new Subject(TEST, parseLitmus(text, TEST), setting, kept);
    return shrink(subject, replayToken(subject, decodeToken(token)), {
      onProgress: (progress) => tries(progress.tries),
      isInterrupted: () => this.#stopped,
    });
  }
}

expose(new Explorer());
