/**
 * Whether a worker does the units of a plan: of its own engine, and of files that it reads as
 * meant.
 */

import { parseLitmus } from '../explore/litmus/litmus.ts';
import { digestOf } from '../explore/litmus/meaning.ts';
import { decodeToken, ENGINE_VERSION } from '../explore/token.ts';
import type { Kind } from './kinds.ts';
import type { Queue } from './queue.ts';

export interface AcceptedPlan {
  readonly title: string;
  readonly kind: Kind;
  /** A task with the text of the file that it names. */
  withTexts(task: unknown): unknown;
}

export interface RefusedPlan {
  /** Why, in words. */
  readonly refused: string;
}

export async function acceptPlan(
  { database }: Queue,
  id: string,
  kinds: Readonly<Record<string, Kind>>,
): Promise<AcceptedPlan | RefusedPlan> {
  const { rows } = await database.query<{ title: string; kind: string; engine: number }>(
    'SELECT title, kind, engine FROM umbra.plan WHERE id = $1',
    [id],
  );
  const [plan] = rows;
  if (plan === undefined) return { refused: `plan ${id} is gone` };
  const { title, engine } = plan;
  if (engine !== ENGINE_VERSION) {
    return { refused: `${title} is of engine ${engine}, and this is engine ${ENGINE_VERSION}` };
  }
  const kind = kinds[plan.kind];
  if (kind === undefined) return { refused: `${title} is of a kind that is not known here` };
  const files = await database.query<{ path: string; digest: string; text: string }>(
    'SELECT path, digest, text FROM umbra.file WHERE plan = $1',
    [id],
  );
  for (const { path, digest, text } of files.rows) {
    const found = digestRead(text, path);
    if (found === digest) continue;
    return {
      refused:
        `${title} has ${path} with digest ${digest}, and here it has ` +
        `${found ?? 'none, as it cannot be read'}: ` +
        'it was sent by an umbra that reads it otherwise',
    };
  }
  const texts = new Map(files.rows.map(({ path, text }) => [path, text]));
  return { title, kind, withTexts: (task) => withText(task, texts) };
}

function digestRead(text: string, path: string): string | undefined {
  try {
    return digestOf(parseLitmus(text, path));
  } catch {
    return undefined;
  }
}

/** Tasks name their file by `path`, or by the token of a schedule of it. */
function withText(task: unknown, texts: ReadonlyMap<string, string>): unknown {
  if (texts.size === 0 || typeof task !== 'object' || task === null) return task;
  const { path, token } = task as { readonly path?: string; readonly token?: string };
  const text = texts.get(path ?? (token === undefined ? '' : decodeToken(token).file));
  return text === undefined ? task : { ...task, text };
}
