/**
 * The page table code, lguest's page_tables.c of 2013 in its seven parts, and the files of each.
 * A part is named after its first file; the others are its repair, or policies that lguest's own
 * comments wish for (src/paging/policies/declared.ts).
 */

export const PARTS = {
  i: { title: 'fault', files: ['fault', 'policies/prefault', 'gpte'] },
  ii: { title: 'pin', files: ['pin', 'stack'] },
  iii: { title: 'set', files: ['set'] },
  iv: { title: 'switch', files: ['switch', 'policies/eviction'] },
  v: { title: 'flush', files: ['flush', 'policies/compare', 'policies/reclaim'] },
  vi: { title: 'switcher', files: ['switcher', 'private-switcher'] },
  vii: { title: 'setup', files: ['setup'] },
} as const satisfies Readonly<
  Record<string, { readonly title: string; readonly files: readonly string[] }>
>;

export type PartName = keyof typeof PARTS;

/** Common code that finds entries, and the steps: it counts as part of its caller. */
export const COMMON: readonly string[] = [
  'entries',
  'policies/declared',
  'steps/as-written',
  'steps/repaired',
];

const PART_OF: ReadonlyMap<string, PartName> = new Map(
  (Object.keys(PARTS) as PartName[]).flatMap((part) =>
    PARTS[part].files.map((file) => [file, part] as const),
  ),
);

/** `file`: of this folder, without `.ts`. Undefined for what is common to all. */
export const partOfFile = (file: string): PartName | undefined => PART_OF.get(file);
