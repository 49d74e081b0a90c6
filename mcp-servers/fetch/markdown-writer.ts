interface Mark {
  readonly name: string;
  readonly open: string;
  readonly close: string;
  isWritten: boolean;
}

/**
 * Puts words, marks and breaks together so that white space comes out right: breaks, spaces and opening marks wait for the next
 * word, and what no word follows is never written.
 */
export class MarkdownWriter {
  #pieces: string[] = [];
  #prefixes: string[] = [];
  #marks: Mark[] = [];
  #breaks = 0;
  #isSpaceDue = false;
  #isLineStart = true;
  #lineStart: { prefix: string; text: string } | undefined;

  /** Text of a page: white space in it counts as one space. */
  text(text: string): void {
    const collapsed = text.replace(/[ \t\n\r\f]+/g, ' ');
    const words = collapsed.trim();
    if (collapsed.startsWith(' ')) this.#isSpaceDue = true;
    if (words === '') return;
    this.literal(words);
    if (collapsed.endsWith(' ')) this.#isSpaceDue = true;
  }

  /** Text that is written as it is; after a line feed in it the line goes on with the prefix. */
  literal(text: string): void {
    this.#beginLine();
    if (this.#isSpaceDue && !this.#isLineStart) this.#pieces.push(' ');
    this.#isSpaceDue = false;
    for (const mark of this.#marks) {
      if (!mark.isWritten) this.#pieces.push(mark.open);
      mark.isWritten = true;
    }
    const prefix = this.#prefixes.join('');
    this.#pieces.push(prefix === '' ? text : text.replaceAll('\n', `\n${prefix}`));
    this.#isLineStart = false;
  }

  /** What the next line begins with (`# `, `- `), after the prefixes of now; its first word follows without a space. */
  lineStart(text: string): void {
    this.#lineStart = {
      prefix: this.#lineStart?.prefix ?? this.#prefixes.join(''),
      text: (this.#lineStart?.text ?? '') + text,
    };
  }

  /** An empty heading or list item ends: what it would have begun with is not written. */
  dropLineStart(): void {
    this.#lineStart = undefined;
  }

  /** Ends the line; two breaks leave an empty one. */
  break(count: 1 | 2): void {
    this.#breaks = Math.max(this.#breaks, count);
  }

  space(): void {
    this.#isSpaceDue = true;
  }

  /** Does nothing inside a mark of the same name. */
  openMark(name: string, open: string, close: string): void {
    if (this.isInside(name)) return;
    this.#marks.push({ name, open, close, isWritten: false });
  }

  /** Closes the last mark of that name and those opened inside it; does nothing when there is none. */
  closeMark(name: string): void {
    const index = this.#marks.findLastIndex((mark) => mark.name === name);
    if (index < 0) return;
    for (const mark of this.#marks.splice(index).reverse()) {
      if (mark.isWritten) this.#pieces.push(mark.close);
    }
  }

  isInside(markName: string): boolean {
    return this.#marks.some((mark) => mark.name === markName);
  }

  /** Begins every following line with the prefix; gives how many prefixes there were before. */
  pushPrefix(prefix: string): number {
    return this.#prefixes.push(prefix) - 1;
  }

  trimPrefixes(count: number): void {
    this.#prefixes.length = Math.min(this.#prefixes.length, count);
  }

  finish(): string {
    for (const mark of this.#marks.splice(0).reverse()) {
      if (mark.isWritten) this.#pieces.push(mark.close);
    }
    return this.#pieces.join('');
  }

  #beginLine(): void {
    const prefix = this.#prefixes.join('');
    const begins = this.#pieces.length === 0 || this.#breaks > 0;
    if (this.#pieces.length > 0 && this.#breaks > 0) {
      this.#pieces.push(this.#breaks === 2 ? `\n${prefix.trimEnd()}\n` : '\n');
    }
    if (begins) this.#pieces.push(this.#lineStart?.prefix ?? prefix);
    if (this.#lineStart) this.#pieces.push(this.#lineStart.text);
    if (begins || this.#lineStart) this.#isLineStart = true;
    this.#lineStart = undefined;
    this.#breaks = 0;
  }
}
