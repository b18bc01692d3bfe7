/** The setting of a litmus test, as every text and page has it. */

interface Shown {
  readonly discipline: string;
  readonly paging: string;
  readonly memory?: string | undefined;
  readonly abridged?: boolean | undefined;
  readonly betweenSteps?: boolean | undefined;
  readonly defects?: readonly string[] | undefined;
}

/** guest-lock, nonpae, tso, with R10 */
export const settingText = (setting: Shown): string => {
  const { discipline, paging, memory, abridged, betweenSteps, defects = [] } = setting;
  return [
    ...[discipline, paging],
    ...(memory === 'tso' ? [memory] : []),
    ...(abridged ? ['abridged'] : []),
    ...(betweenSteps ? ['looked at between steps'] : []),
    ...(defects.length > 0 ? [`with ${defects.join(' ')}`] : []),
  ].join(', ');
};

/** The same, where all runs are abridged, or none. */
export const settingInShort = (setting: Shown): string =>
  settingText({ ...setting, abridged: false });
