/** The editor of a litmus test: CodeMirror, with mistakes where they are. */

import { yaml } from '@codemirror/lang-yaml';
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, linter, lintGutter } from '@codemirror/lint';
import { tags } from '@lezer/highlight';
import { basicSetup, EditorView } from 'codemirror';
import { type Checked, checked, type Mistake } from './mistakes.ts';

const theme = EditorView.theme({
  '&': { backgroundColor: 'var(--paper)', color: 'var(--ink)', fontSize: '13.5px' },
  '&.cm-focused': { outline: '3px solid var(--series-0)', outlineOffset: '1px' },
  '.cm-scroller': { fontFamily: 'ui-monospace, monospace', lineHeight: '1.5' },
  '.cm-content': { caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': { backgroundColor: 'var(--soft)', color: 'var(--faint)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--soft)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--series-0) 25%, transparent) !important',
  },
  '.cm-tooltip, .cm-panels': { backgroundColor: 'var(--paper)', color: 'var(--ink)' },
});

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--series-0)' },
  { tag: tags.comment, color: 'var(--faint)', fontStyle: 'italic' },
  { tag: [tags.string, tags.content], color: 'var(--ink)' },
  { tag: [tags.separator, tags.punctuation], color: 'var(--faint)' },
]);

export class Editor {
  readonly element: HTMLElement;
  readonly #view: EditorView;
  #checked: Checked;

  /** `changed` is called after each change, once it was checked. */
  constructor(text: string, changed: () => void) {
    this.element = document.createElement('div');
    this.element.className = 'editor';
    this.#checked = checked(text);
    this.#view = new EditorView({
      doc: text,
      parent: this.element,
      extensions: [
        basicSetup,
        yaml(),
        theme,
        syntaxHighlighting(colours),
        lintGutter(),
        EditorView.lineWrapping,
        linter(() => this.#diagnostics(), { delay: 200 }),
        EditorView.contentAttributes.of({ 'aria-label': 'The test, as YAML', tabindex: '0' }),
        EditorView.updateListener.of(({ docChanged }) => {
          if (!docChanged) return;
          this.#checked = checked(this.text);
          changed();
        }),
      ],
    });
  }

  get text(): string {
    return this.#view.state.doc.toString();
  }

  set text(text: string) {
    const { length } = this.#view.state.doc;
    this.#view.dispatch({
      changes: { from: 0, to: length, insert: text },
      selection: { anchor: 0 },
    });
  }

  get checked(): Checked {
    return this.#checked;
  }

  goTo(mistake: Mistake): void {
    this.#view.dispatch({ selection: { anchor: this.#offset(mistake) }, scrollIntoView: true });
    this.#view.focus();
  }

  #diagnostics(): Diagnostic[] {
    const { doc } = this.#view.state;
    return this.#checked.mistakes.map((mistake) => {
      const from = this.#offset(mistake);
      const to = Math.max(from, doc.lineAt(from).to);
      return { from, to, severity: 'error', message: mistake.message };
    });
  }

  #offset({ line, column }: Mistake): number {
    const { doc } = this.#view.state;
    const { from, to } = doc.line(Math.min(Math.max(line, 1), doc.lines));
    return Math.min(from + column - 1, to);
  }
}
