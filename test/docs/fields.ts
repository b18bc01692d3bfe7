/** The fields of a file as a table, from its JSON Schema. */

interface Field {
  readonly description?: string;
  /** The allowed values, where the type says too little. */
  readonly title?: string;
  readonly default?: unknown;
  readonly type?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly enum?: readonly unknown[];
  readonly items?: Field;
  readonly anyOf?: readonly Field[];
  readonly properties?: Readonly<Record<string, Field>>;
  readonly additionalProperties?: Field | boolean;
}

const count = (n: number): string => n.toLocaleString('en-US').replaceAll(',', ' ');

/** The allowed values, in short; long lists of names are left to the schema. */
function kind(field: Field): string {
  if (field.title !== undefined) return `\`${field.title}\``;
  if (field.anyOf) return [...new Set(field.anyOf.map(kind))].join(', or ');
  if (field.enum) {
    const names = field.enum.map((name) => `\`${name}\``);
    return names.length > 6 ? 'a name' : names.join(' ');
  }
  if (field.type === 'array') {
    const most = field.maxItems === undefined ? '' : `${field.minItems ?? 0} – ${field.maxItems}, `;
    return `a list: ${most}${kind(field.items!)}`;
  }
  if (field.type === 'object') {
    const names = Object.keys(field.properties ?? {});
    if (names.length > 0) return `{${names.slice(0, 4).join(', ')}}`;
    return `a map: ${kind(field.additionalProperties as Field)}`;
  }
  if (field.format === 'address') return 'an address';
  if (field.type === 'integer') return `${count(field.minimum!)} – ${count(field.maximum!)}`;
  return field.type === 'boolean' ? 'true or false' : 'text';
}

function value(given: unknown): string {
  if (given === undefined) return '';
  return `\`${typeof given === 'string' ? given : JSON.stringify(given).replaceAll('"', '')}\``;
}

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const rows = ({ properties }: Field, within: string): string[] =>
  Object.entries(properties!).map(([name, field]) =>
    row(`\`${within}${name}\``, kind(field), value(field.default), field.description ?? ''),
  );

/** The fields of the whole file, then those of some of its fields. */
export function fieldsTable(schema: unknown, inner: readonly string[]): string {
  const whole = schema as Field;
  return [
    row('field', 'what may stand there', 'by default', 'what it means'),
    '|---|---|---|---|',
    ...rows(whole, ''),
    ...inner.flatMap((name) => {
      const field = whole.properties![name]!;
      return rows(field.items ?? field, `${name}: `);
    }),
  ].join('\n');
}

/** All fields of a schema, at any depth. */
export function fieldsOf(
  schema: unknown,
  path = '',
): readonly { readonly path: string; readonly description: string | undefined }[] {
  const { properties = {}, anyOf = [], items, additionalProperties } = schema as Field;
  const parts = [...anyOf, items, additionalProperties].filter((part) => typeof part === 'object');
  return [
    ...Object.entries(properties).flatMap(([name, field]) => {
      const at = `${path}.${name}`;
      return [{ path: at, description: field.description }, ...fieldsOf(field, at)];
    }),
    ...parts.flatMap((part) => fieldsOf(part, path)),
  ];
}
