/** What Windows-1252 has at 128 to 159, where ISO-8859-1 has control characters. */
const characters = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

/** Control characters from 128 to 159 as what the writer meant: Windows-1252, as the HTML standard has it. */
export const meantAsWindows1252 = (text: string): string =>
  text.replace(/[\u0080-\u009f]/g, (character) => characters[character.charCodeAt(0) - 128] ?? character);
