/** The script of a player's page: the player takes the place of the story that is there. */

import type { PlayerData } from './data.ts';
import { mountPlayer } from './mount.ts';

const place = document.querySelector<HTMLElement>('main')!;
const data = document.querySelector('script[type="application/json"]')!.textContent!;
mountPlayer(place, JSON.parse(data) as PlayerData);
place.querySelector('input')?.focus();
