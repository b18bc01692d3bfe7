/** The script of a player's page: the player takes the place of the story that is there. */

import type { PlayerData } from './data.ts';
import { mountPlayer } from './mount.ts';

const place = document.querySelector<HTMLElement>('main')!;
const data = document.querySelector('script[type="application/json"]')!.textContent!;
const player = mountPlayer(place, JSON.parse(data) as PlayerData);
const [, step] = /^#step-(\d+)$/.exec(location.hash) ?? [];
if (step !== undefined) player.goTo(Number(step));
place.querySelector('input')?.focus();
