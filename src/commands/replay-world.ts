/** `umbra replay --world FILE`: do a schedule of a world of the user's own again. */

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '../errors.ts';
import { replayOfWorld, worldNameOf } from '../explore/worlds/token.ts';
import type { World } from '../explore/worlds/world.ts';

/**
 * The result, for people and as JSON. Runs the code of `file`. Throws UserError for anything but a
 * token of a world, and for a module that does not export the world.
 */
export async function replayWorldOf(token: string | undefined, file: string, isTold: boolean) {
  if (token === undefined) throw new UserError('--world is about a token: give one of the world');
  const name = worldNameOf(token);
  const worlds = await worldsOf(file);
  const found = worlds.find((world) => world.name === name);
  if (found === undefined) {
    const names = worlds.map((world) => world.name).join(', ');
    throw new UserError(
      `${file}: found ${names === '' ? 'no exported world' : `the exported worlds ${names}`}, ` +
        `expected one called ${name}, as the token says`,
    );
  }
  const { story, ...replayed } = replayOfWorld(found, token);
  const { ending, message, steps } = replayed;
  const how = ending === 'ok' ? 'it passes' : `${ending}: ${message}`;
  const lines = [`world ${name}: ${steps} steps`, how, ...(isTold ? ['', ...story] : [])];
  const result = { schema_version: 1, token, world: name, ...replayed, ...(isTold && { story }) };
  return { text: `${lines.join('\n')}\n`, result };
}

async function worldsOf(file: string): Promise<World[]> {
  try {
    const module: object = await import(pathToFileURL(resolve(file)).href);
    return Object.values(module).filter(isWorld);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new UserError(`${file} cannot be loaded as a module: ${message}`);
  }
}

const isWorld = (value: unknown): value is World =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Partial<World>).name === 'string' &&
  typeof (value as Partial<World>).make === 'function';
