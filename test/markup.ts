/** A text that closes whatever it stands in, and would say that it has run. */
export const MARKUP =
  '\'"`--></title></style></textarea></script><script>window.hacked = 1</script>' +
  '<img src=x onerror="window.hacked = 1"><svg onload="window.hacked = 1">{{window.hacked = 1}}';

/** As a name and a reason of what there is of a litmus test. */
export const hostile = (yaml: string): string =>
  yaml.replaceAll(/(name|about|because): .*/g, (_, key) => `${key}: ${JSON.stringify(MARKUP)}`);

/** In a page: whether any of it has become more than text. */
export const HAS_RUN =
  'window.hacked !== undefined || document.querySelectorAll("img, [onload]").length > 0';
