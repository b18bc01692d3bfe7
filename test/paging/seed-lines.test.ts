/** References of the paging code to lguest's page_tables.c (2013) name the correct lines. */

import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** The first line of each function; two lines where it has a body with PAE and one without. */
const FUNCTIONS: Readonly<Record<string, number | readonly number[]>> = {
  spgd_addr: 83,
  spmd_addr: 97,
  spte_addr: 115,
  gpgd_addr: 136,
  gpmd_addr: 144,
  gpte_addr: [152, 162],
  get_pfn: 188,
  gpte_to_spte: 206,
  release_pte: 242,
  check_gpte: 253,
  check_gpgd: 263,
  check_gpmd: 274,
  find_spte: 293,
  demand_page: 378,
  page_writable: 527,
  pin_page: 554,
  release_pmd: 562,
  release_pgd: [578, 601],
  flush_user_mappings: 628,
  guest_pagetable_flush_user: 642,
  guest_pa: 650,
  find_pgdir: 689,
  new_pgdir: 703,
  allocate_switcher_mapping: 750,
  release_all_pagetables: 783,
  guest_pagetable_clear_all: 806,
  guest_new_pagetable: 823,
  do_set_pte: 888,
  guest_set_pte: 944,
  guest_set_pgd: 985,
  guest_set_pmd: 1011,
  init_guest_pagetable: 1028,
  page_table_guest_data_init: 1051,
  free_guest_pagetable: 1083,
  remove_switcher_percpu_map: 1097,
  map_switcher_in_guest: 1122,
};

const references = globSync('src/paging/**/*.ts').flatMap((path) =>
  Array.from(
    readFileSync(path, 'utf8').matchAll(/page_tables\.c:(\d+) (\w+)/g),
    ([, line, name]) => ({ path, line: Number(line), name: name! }),
  ),
);

test.each(references)('$path: page_tables.c:$line $name', ({ line, name }) => {
  expect([FUNCTIONS[name]].flat()).toContain(line);
});

test('names each of its functions, once', () => {
  const names = references.map(({ name }) => name);
  expect(names.toSorted()).toEqual(Object.keys(FUNCTIONS).toSorted());
});
