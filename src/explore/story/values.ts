/** Values in words, by the kind of their place. */

import { FrameKind, POISON } from '../../../shared/frames.ts';
import { Mail } from '../../../shared/host-cpu.ts';
import { Vma } from '../../../shared/launcher-map.ts';
import { Dead } from '../../../shared/lguest.ts';
import { holderOf } from '../../../shared/lock.ts';
import { Entry, PAGE_PRESENT } from '../../hardware/entry.ts';
import { FLAG_NAMES, hasFlag } from '../litmus/entries.ts';
import { FAULT } from '../litmus/tokens.ts';
import { hexAddress, hexPage } from './guest-words.ts';
import type { PlaceKind } from './places.ts';

/** `low` and `high`: the word and the one behind it. `target`: the frame that it leads to. */
export function valueText(
  kind: PlaceKind,
  low: number,
  high: number,
  pae: boolean,
  target: string | undefined,
): string {
  switch (kind) {
    case 'entry':
    case 'guestEntry':
      return entryText(new Entry(low, pae ? high : 0), target ?? `page ${hexPage(low >>> 12)}`);
    case 'guestUpper':
      return entryText(new Entry(low, pae ? high : 0), `table in page ${hexPage(low >>> 12)}`);
    case 'upper':
      return entryText(new Entry(low, pae ? high : 0), `table in frame ${low >>> 12}`);
    case 'lock':
      return low === 0 ? 'free' : `held by CPU ${holderOf(low)}${low >>> 31 ? ', awaited' : ''}`;
    case 'section':
      return `${low} (${low & 1 ? 'inside' : 'outside'})`;
    case 'mail':
      return namesOf(Mail, low).toLowerCase() || 'empty';
    case 'truth':
    case 'vcpu':
      return low === 0 ? 'no' : 'yes';
    case 'hostCpu':
      return (low | 0) < 0 ? 'unknown' : `CPU ${low}`;
    case 'dead':
      return nameOf(Dead, low).toLowerCase();
    case 'frameCount':
      return countText(low | 0);
    case 'frameKind':
      return nameOf(FrameKind, low & 0xff);
    case 'map':
      return mapText(low);
    case 'gpa':
    case 'gva':
    case 'ptr':
      return low === 0 ? 'none' : hexAddress(low);
    default:
      return numberText(low);
  }
}

function entryText(entry: Entry, leadsTo: string): string {
  if (entry.low === (POISON | 0)) return 'what a freed frame is filled with';
  if (entry.low === 0 && entry.high === 0) return 'none';
  const flags = FLAG_NAMES.filter((flag) => hasFlag(entry, flag));
  const present = (entry.low & PAGE_PRESENT) !== 0;
  return [leadsTo, ...(present ? [] : ['not present']), ...flags].join(' ');
}

function countText(word: number): string {
  const references = word >> 1;
  const text = `${references} reference${references === 1 ? '' : 's'}`;
  if (word === 0) return 'none: free';
  return word & 1 ? `owner and ${text}` : `${text}, no owner`;
}

function mapText(word: number): string {
  const states: Readonly<Record<number, string>> = {
    [Vma.None]: 'not mapped',
    [Vma.ReadWrite]: 'read-write',
    [Vma.ReadOnly]: 'read-only',
    [Vma.CopyOnWrite]: 'copy-on-write',
  };
  const state = states[word & 3]!;
  return word >>> 2 === 0 ? state : `frame ${word >>> 2} ${state}`;
}

function numberText(word: number): string {
  if (word === FAULT) return 'fault';
  if (word === POISON) return 'what a freed frame is filled with';
  return word < 10 ? `${word}` : hexPage(word);
}

const nameOf = (names: Readonly<Record<string, number>>, value: number): string =>
  Object.entries(names).find(([, number]) => number === value)?.[0] ?? `${value}`;

const namesOf = (bits: Readonly<Record<string, number>>, value: number): string =>
  Object.entries(bits)
    .filter(([, bit]) => value & bit)
    .map(([name]) => name)
    .join(' and ');
