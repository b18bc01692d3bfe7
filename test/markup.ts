/** A text that closes any element or literal around it, and marks the window if it runs. */
export const MARKUP =
  '\'"`--></title></style></textarea></script><script>window.hacked = 1</script>' +
  '<img src=x onerror="window.hacked = 1"><svg onload="window.hacked = 1">{{window.hacked = 1}}';

/** For names and reasons in a litmus test. */
export const hostile = (yaml: string): string =>
  yaml.replaceAll(/(name|about|because): .*/g, (_, key) => `${key}: ${JSON.stringify(MARKUP)}`);

/** Expression for a page: whether any of it was parsed as markup. */
export const HAS_RUN =
  'window.hacked !== undefined || document.querySelectorAll("img, [onload]").length > 0';
