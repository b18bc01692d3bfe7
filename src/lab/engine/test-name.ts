/** What the test in the editor is called in tokens and messages. */
export const TEST = 'test.yaml';
