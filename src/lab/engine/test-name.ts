/** The name of the test in the editor, in tokens and messages. */
export const TEST = 'test.yaml';
